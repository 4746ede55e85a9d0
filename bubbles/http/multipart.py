"""An upload as it streams in: the sound goes to a file, the fields to memory, and every byte is counted.

The cap holds whatever `Content-Length` says, and nothing is left behind when the upload ends badly.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from bubbles import ids, scratch
from bubbles.accept import Received
from bubbles.errors import Code, Refused

FIELDS_MAX_BYTES = 64 * 1024
PARTS_MAX = 40
AUDIO = "audio"


@dataclass(frozen=True)
class Form:
    """What arrived: the recording, and the text fields; a field sent twice is joined by commas (`tags`)."""

    received: Received
    fields: dict[str, str]


@asynccontextmanager
async def receive(request: Request, folder: Path, *, max_bytes: int, timeout_s: float) -> AsyncIterator[Form]:
    """The form of a request; its file lies in `folder` as long as the context.

    Raises `bad_request` for what is no such form or takes longer than `timeout_s`, `too_large` at `max_bytes` plus one.
    """
    path = folder / f"{scratch.HELD}{ids.new_code()}.part"
    try:
        with path.open("xb") as file, scratch.held(path):
            path.chmod(0o600)
            reader = _Reader(_boundary(request), file)
            await _feed(request, reader, max_bytes=max_bytes, timeout_s=timeout_s)
            file.flush()
            yield Form(Received(path, reader.audio_bytes, reader.sha256.hexdigest()), reader.fields)
    finally:
        path.unlink(missing_ok=True)


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:
        raise Refused(Code.BAD_REQUEST, "Send multipart/form-data with the sound in the field audio.")
    return boundary


async def _feed(request: Request, reader: "_Reader", *, max_bytes: int, timeout_s: float) -> None:
    length_bytes = 0
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.stream():
                length_bytes += len(chunk)
                if length_bytes > max_bytes:
                    raise Refused(Code.TOO_LARGE, f"The request is larger than {max_bytes} bytes.")
                # One chunk a turn of the loop: whoever listens waits for one, not for one of each of a hundred uploads.
                async with request.app.state.reading:
                    reader.feed(chunk)
                    await asyncio.sleep(0)
    except TimeoutError:
        raise Refused(Code.BAD_REQUEST, f"The upload took longer than {timeout_s:g} seconds.") from None
    except ClientDisconnect:
        raise Refused(Code.BAD_REQUEST, "The upload broke off.") from None
    except MultipartParseError:
        raise Refused(Code.BAD_REQUEST, "The multipart form is malformed.") from None
    reader.require_whole()


@dataclass
class _Part:
    """The part that is being read."""

    name: str = ""
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class _Reader:
    """Feeds on chunks; the parser calls back with slices of them."""

    def __init__(self, boundary: bytes, file: BinaryIO) -> None:
        self.fields: dict[str, str] = {}
        self.audio_bytes = 0
        self.sha256 = hashlib.sha256()
        self._file = file
        self._has_audio = self._whole = False
        self._parts = self._kept_bytes = 0
        self._part = _Part()
        callbacks = {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._keep(self._part.header, data[start:end]),
            "on_header_value": lambda data, start, end: self._keep(self._part.value, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_body,
            "on_part_data": self._body,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]  # a TypedDict of the same keys

    def feed(self, chunk: bytes) -> None:
        """Reads on."""
        self._parser.write(chunk)

    def require_whole(self) -> None:
        """Raises `bad_request` unless the form ended, with its sound."""
        if not self._whole:
            raise Refused(Code.BAD_REQUEST, "The multipart form is not complete.")
        if not self._has_audio:
            raise Refused(Code.BAD_REQUEST, "The field audio is missing.")

    def _keep(self, into: bytearray, data: bytes) -> None:
        self._kept_bytes += len(data)
        if self._kept_bytes > FIELDS_MAX_BYTES:
            raise Refused(Code.BAD_REQUEST, f"The fields are larger than {FIELDS_MAX_BYTES} bytes together.")
        into += data

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > PARTS_MAX:
            raise Refused(Code.BAD_REQUEST, f"The form has more than {PARTS_MAX} parts.")
        self._part = _Part()

    def _end_header(self) -> None:
        part = self._part
        part.headers[bytes(part.header).lower()] = bytes(part.value)
        part.header, part.value = bytearray(), bytearray()

    def _begin_body(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if not self._part.name:
            raise Refused(Code.BAD_REQUEST, "A part of the form has no name.")
        if self._part.name == AUDIO:
            if self._has_audio:
                raise Refused(Code.BAD_REQUEST, "Send one audio file.")
            self._has_audio = True

    def _body(self, data: bytes, start: int, end: int) -> None:
        chunk = data[start:end]
        if self._part.name != AUDIO:
            self._keep(self._part.body, chunk)
            return
        self.audio_bytes += len(chunk)
        self.sha256.update(chunk)
        self._file.write(chunk)

    def _end_part(self) -> None:
        name = self._part.name
        if name == AUDIO:
            return
        try:
            text = self._part.body.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(Code.BAD_TEXT, f"The field {name[:50]!r} is not UTF-8.") from None
        self.fields[name] = f"{self.fields[name]},{text}" if name in self.fields else text

    def _end(self) -> None:
        self._whole = True
