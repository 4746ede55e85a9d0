"""What a connection is bounded by, and how it is told when it goes too far."""

from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from bubbles.config import Settings
from bubbles.errors import Code
from bubbles.http import errors, nosniff
from bubbles.http.shares import Shares
from bubbles.limits import MIB

LINE_MAX_BYTES = 8 * 1024
"""Of a path with its query; the shipped proxy takes as much."""

HEADERS_MAX = 100
PIPELINED_MAX = 100
"""Requests that wait by one connection for those before them."""

FED_AT_ONCE_BYTES = 16 * 1024
"""How much of a head the parser is fed at once: what it has not reported yet is counted by such pieces."""

FRAMING_PER_BODY_BYTE = 16
"""Bytes of framing allowed for each byte of a body; a chunk of one byte has five."""

BODY_SPARE_BYTES = 16 * MIB
"""How much more than the largest upload is taken, so that whoever sends too much can read why it is refused."""

LINGERS_S, LINGERS_MAX_BYTES = 2.0, MIB
"""For how long, and how much of it, what still comes is thrown away, so that the answer arrives."""


class Bounds:
    """What holds for all connections of one server together."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.body_max_bytes = settings.request_max_bytes + BODY_SPARE_BYTES
        self.shares = Shares(settings.connections_per_network)


class Fault(Exception):
    """Why a request is not taken: a status, a code, a sentence."""

    def __init__(self, status: int, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


@dataclass
class Counts:
    """The bytes of one request: of its head as far as the parser told of it, of its body, and of neither."""

    head: int = 0
    untold: int = 0
    body: int = 0
    framing: int = 0


def too_long(most_bytes: int) -> Fault:
    """A head without end."""
    return Fault(431, Code.TOO_LARGE, f"The head of the request is longer than {most_bytes} bytes.")


def answer(fault: Fault) -> bytes:
    """A problem document with all that goes before it."""
    retry_after_s = 10 if fault.code is Code.RATE_LIMITED else None
    told = errors.problem(fault.code, fault.detail, status=fault.status, retry_after_s=retry_after_s)
    headers = [*told.raw_headers, (nosniff.NAME, nosniff.VALUE), (b"connection", b"close")]
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return STATUS_LINE[fault.status] + lines + b"\r\n" + bytes(told.body)
