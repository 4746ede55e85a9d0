"""What passes between a client and a server of HTTP or of PostgreSQL, request by request."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress

PIECE_BYTES = 64 * 1024
END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)
STARTUP_VERSION = 3
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def requests(reader: asyncio.StreamReader) -> AsyncIterator[tuple[str, bytes, int]]:
    """What a client asks: its first line or statement (empty: something else), its head, the length of its body."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        start = await reader.readexactly(8)
        if start[0] != 0:
            while True:
                head = start + await reader.readuntil(END)
                yield head.partition(b"\r\n")[0].decode("latin-1"), head, body_bytes(head)
                start = b""
        while True:
            is_startup = int.from_bytes(start[4:6]) == STARTUP_VERSION  # else it asks for encryption
            yield "startup" if is_startup else "", start + await reader.readexactly(int.from_bytes(start[:4]) - 8), 0
            if is_startup:
                break
            start = await reader.readexactly(8)
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
            yield _statement(head[:1], body), head + body, 0


def _statement(kind: bytes, body: bytes) -> str:
    """The text of a Query or a Parse message; empty for others."""
    part = {b"Q": 0, b"P": 1}.get(kind)
    return "" if part is None else body.split(b"\0")[part].decode(errors="replace")


def body_bytes(head: bytes) -> int:
    found = LENGTH.search(head)
    return int(found[1]) if found else 0


async def send(stream: Stream, piece: bytes) -> None:
    stream[1].write(piece)
    await stream[1].drain()


def reset(stream: Stream) -> None:
    connection = stream[1].get_extra_info("socket")
    if connection is not None and connection.family == socket.AF_INET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    stream[1].transport.abort()
