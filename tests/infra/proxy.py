"""The shipped nginx, really run: its files as they are, with ports and folders of this test in the place of theirs."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tests.conftest import CHECKOUT
from tests.ports import free_port

INSTALL = "apt-get update && apt-get install -y --no-install-recommends nginx-light"
START_MAX_S = ANSWER_MAX_S = 60
STARTED = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"
LINE = re.compile(STARTED + r" ([A-Z]{3,7}|-) (other|/@|/[a-z-]{0,20}) \d{3} \d+ [\d.]+ [\d., :-]+ [0-9a-f]{32}")
"""When, method, kind of page, status, bytes, seconds here and behind, the request's name."""


@dataclass(frozen=True)
class Proxy:
    """A running nginx: where it listens, and what it wrote."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, text: str) -> socket.socket:
        """A connection by which this was sent, each line of it ended as HTTP ends them."""
        client = socket.create_connection(("127.0.0.1", self.port), ANSWER_MAX_S)
        client.sendall(text.replace("\n", "\r\n").encode())
        return client

    def log(self) -> list[str]:
        """The lines of the access log."""
        return (self.folder / "access.log").read_text().splitlines()

    def errors(self) -> str:
        """The error log."""
        return (self.folder / "error.log").read_text()


def binary() -> str:
    """Debian's nginx; it lies where only root's path leads."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")  # noqa: TID251 - a test
    assert found, f"The tests need nginx: {INSTALL}"
    return found


def written(
    folder: Path, port: int, *, application: int, uploads: int = 0, blobs: Path | None = None, bucket: str = ""
) -> Path:
    """The shipped files in `folder`, each address and path in them replaced; gives the main one."""
    shutil.copytree(CHECKOUT / "infra" / "nginx", folder / "nginx")
    shutil.copy(CHECKOUT / "infra" / "nginx.conf", folder)
    changes = {
        "nginx.conf": {
            "/tmp/": f"{folder}/",  # noqa: S108 - what the shipped file says
            "listen 8080": f"listen 127.0.0.1:{port}",
            "worker_processes auto": _as_ourselves() + "worker_processes 2",
            "error_log stderr": f"error_log {folder}/error.log",
        },
        "nginx/http.conf": {
            "/tmp/": f"{folder}/",  # noqa: S108 - as above
            "/dev/stdout": f"{folder}/access.log",
        },
        "nginx/upstreams.conf": {
            "127.0.0.1:8000": f"127.0.0.1:{application}",
            "127.0.0.1:8001": f"127.0.0.1:{uploads or application}",
            "127.0.0.1:8333": bucket or "127.0.0.1:8333",
        },
        "nginx/media.conf": {"/var/lib/bubbles/blobs": str(blobs or folder / "none")},
    }
    for name, replaced in changes.items():
        text = (folder / name).read_text()
        for old, new in replaced.items():
            assert old in text, f"{name} does not say {old}"
            text = text.replace(old, new)
        (folder / name).write_text(text)
    return folder / "nginx.conf"


def _change(folder: Path, changes: Mapping[str, str]) -> None:
    files = [folder / "nginx.conf", *(folder / "nginx").iterdir()]
    for old, new in changes.items():
        (file,) = [each for each in files if old in each.read_text()]
        file.write_text(file.read_text().replace(old, new))


def _as_ourselves() -> str:
    """Files of a disk store are for their owner alone."""
    return "user root root; " if os.geteuid() == 0 else ""


@contextmanager
def nginx(
    folder: Path,
    *,
    application: int,
    uploads: int = 0,
    blobs: Path | None = None,
    bucket: str = "",
    changes: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Proxy]:
    """The shipped nginx in front of the port `application`, and of `uploads` if that is another.

    `bucket` is the host and port of an S3 server; `changes` are further texts of the shipped files, with what stands in
    their place here.
    """
    folder.mkdir(exist_ok=True)
    port = free_port()
    main = written(folder, port, application=application, uploads=uploads, blobs=blobs, bucket=bucket)
    _change(folder, changes)
    process = subprocess.Popen([binary(), "-c", str(main), "-g", "daemon off;"], stderr=subprocess.PIPE)
    try:
        _wait(process, port)
        yield Proxy(port, folder, process)
    finally:
        process.terminate()
        process.wait(START_MAX_S)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline_s = time.monotonic() + START_MAX_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            assert process.stderr
            raise AssertionError(process.stderr.read().decode())
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("nginx does not listen")
