"""Messages over a pipe: a JSON head and raw bytes, each preceded by its length."""

import json
import struct
from typing import BinaryIO

_LENGTHS = struct.Struct("!QQ")

Head = dict[str, object]

OUT_OF_MEMORY = ("bad_alloc", "cannot allocate memory", "failed to allocate", "memoryerror", "can't start new thread")
"""What says, in lower case, that memory was refused, whichever library says it."""


def send(pipe: BinaryIO, head: Head, body: bytes = b"") -> None:
    """Write one message. Raises BrokenPipeError when nobody reads."""
    text = json.dumps(head).encode()
    pipe.write(_LENGTHS.pack(len(text), len(body)))
    pipe.write(text)
    pipe.write(body)
    pipe.flush()


def receive(pipe: BinaryIO) -> tuple[Head, bytes]:
    """Read one message. Raises EOFError when the other side is gone."""
    head_bytes, body_bytes = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    head: Head = json.loads(_exactly(pipe, head_bytes))
    return head, _exactly(pipe, body_bytes)


def _exactly(pipe: BinaryIO, length_bytes: int) -> bytes:
    got = pipe.read(length_bytes)
    if len(got) < length_bytes:
        raise EOFError("the other side is gone")
    return got
