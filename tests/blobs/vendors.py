"""A small store that speaks S3 as other vendors do: without conditional writes, without checksums, with a wrong clock.

It keeps blobs in memory and verifies no signature, only that there is one. What real servers do is tested on SeaweedFS.
"""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "vendor"


@dataclass
class Vendor:
    """How this one behaves, and what it was sent."""

    conditional: Literal["known", "ignored", "400", "501"] = "known"
    checksums: Literal["known", "ignored", "400"] = "known"
    knows_ranges: bool = True
    clock_ahead: timedelta = timedelta(0)
    refuses_by_clock: bool = False
    versioning: str = ""
    is_open: bool = False
    denies: set[str] = field(default_factory=set)
    kept: dict[str, tuple[bytes, str, datetime]] = field(default_factory=dict)
    puts: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """The bucket as `open_store` takes it."""
        return f"s3://{BUCKET}/some/prefix?endpoint=http://127.0.0.1:{self.port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    vendor: Vendor
    lock: threading.Lock

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(datetime.now(UTC) + self.vendor.clock_ahead, usegmt=True)

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        with self.lock:
            self._put(content)

    def _put(self, content: bytes) -> None:
        vendor, headers = self.vendor, {name.lower(): value for name, value in self.headers.items()}
        if self._refused("PUT"):
            return None
        vendor.puts.append(headers)
        if any("acl" in name for name in headers):
            return self._error(400, "AccessControlListNotSupported")
        if "if-none-match" in headers and vendor.conditional in {"400", "501"}:
            return self._error(int(vendor.conditional), "NotImplemented")
        if "x-amz-checksum-sha256" in headers and vendor.checksums == "400":
            return self._error(400, "InvalidArgument")
        if "if-none-match" in headers and vendor.conditional == "known" and self._key in vendor.kept:
            return self._error(412, "PreconditionFailed")
        vendor.kept[self._key] = content, headers.get("x-amz-checksum-sha256", ""), datetime.now(UTC)
        return self._answer(200)

    def do_GET(self) -> None:
        with self.lock:
            self._get()

    do_HEAD = do_GET  # noqa: N815 - the names are http.server's

    def _get(self) -> None:
        if self._refused("LIST" if not self._key and self.command == "GET" else "GET"):
            return None
        if not self._key:
            return self._answer(200, b"" if self.command == "HEAD" else self._about_bucket())
        if self._key not in self.vendor.kept:
            return self._error(404, "NoSuchKey")
        content, checksum, _ = self.vendor.kept[self._key]
        told = {"x-amz-checksum-sha256": checksum} if checksum and self.vendor.checksums == "known" else {}
        asked = self.headers.get("Range") if self.vendor.knows_ranges else None
        if not asked:
            return self._answer(200, content, told)
        start, _, last = asked.removeprefix("bytes=").partition("-")
        part = content[int(start) : int(last) + 1]
        if not part:
            return self._error(416, "InvalidRange")
        return self._answer(206, part, {"Content-Range": f"bytes {start}-{int(start) + len(part) - 1}/{len(content)}"})

    def do_DELETE(self) -> None:
        with self.lock:
            if not self._refused("DELETE"):
                self.vendor.kept.pop(self._key, None)
                self._answer(204)

    @property
    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(f"/{BUCKET}").removeprefix("/")

    def _refused(self, what: str) -> bool:
        if self.vendor.refuses_by_clock:
            self._error(403, "RequestTimeTooSkewed")
        elif what in self.vendor.denies or not (self.vendor.is_open or "Authorization" in self.headers):
            self._error(403, "AccessDenied")
        else:
            return False
        return True

    def _about_bucket(self) -> bytes:
        asked = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        if "versioning" in asked:
            status = f"<Status>{self.vendor.versioning}</Status>" if self.vendor.versioning else ""
            return f"<VersioningConfiguration>{status}</VersioningConfiguration>".encode()
        prefix = asked.get("prefix", [""])[0]
        listed = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{put_at.isoformat()}</LastModified></Contents>"
            for key, (_, _, put_at) in sorted(self.vendor.kept.items())
            if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>".encode()

    def _error(self, status: int, name: str) -> None:
        self._answer(status, f"<Error><Code>{name}</Code></Error>".encode())

    def _answer(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is none of ours."""


@contextmanager
def serving(vendor: Vendor) -> Iterator[Vendor]:
    """The vendor on a free port of 127.0.0.1."""
    handler = type("VendorHandler", (Handler,), {"vendor": vendor, "lock": threading.Lock()})
    with Server(("127.0.0.1", 0), handler) as server:
        vendor.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield vendor
        finally:
            server.shutdown()
            thread.join()
