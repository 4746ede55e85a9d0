"""1,000 slow sockets behind the shipped nginx, and before the bare service: what a healthy client is told meanwhile.

    python -m tests.bench.sockets [SOCKETS [SECONDS]]

A quarter says nothing, a quarter dribbles a header, a quarter dribbles the body of a form, a quarter reads a sound by
the byte. Who is let go of comes back at once, so that there are always as many.
"""

import asyncio
import contextlib
import socket
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bubbles.db.embedded import running
from tests.bench import listener
from tests.bench.listener import Told
from tests.bench.ranges import fixtures, house_at, serving
from tests.infra.proxy import nginx

SOCKETS = 1000
SECONDS = 20.0
LENGTH_BYTES = 4_000_000
DRIBBLE_S = 1.0
COMING_S = 5.0
Slow = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Awaitable[None]]


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
    """Connects, and says nothing."""
    await reader.read(1)


async def dribbled_header(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
    """A header that never ends."""
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    await _dribble(reader, writer)


async def dribbled_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
    """A form that is sent by the byte."""
    writer.write(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n")
    writer.write(b"Content-Type: application/x-www-form-urlencoded\r\n\r\nhandle=")
    await _dribble(reader, writer)


async def reading(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> None:
    """A sound that is read by the byte."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {listener.AGENT}\r\n\r\n".encode())
    while await reader.read(1):
        await asyncio.sleep(DRIBBLE_S)


async def _dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not reader.at_eof():
        writer.write(b"x")
        await writer.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRIBBLE_S):
                await reader.read(1)


KINDS: tuple[Slow, ...] = (silent, dribbled_header, dribbled_body, reading)


class Crowd:
    """Slow sockets, always as many: `connected` of them at this moment."""

    def __init__(self, port: int, path: str) -> None:
        self._port, self._path = port, path
        self.connected = self.let_go = 0

    async def one(self, number: int) -> None:
        """Comes again whenever it is let go of."""
        while True:
            with contextlib.suppress(OSError):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.setblocking(False)
                await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", self._port))
                reader, writer = await asyncio.open_connection(sock=client, limit=1024)
                self.connected += 1
                try:
                    await KINDS[number % len(KINDS)](reader, writer, self._path)
                finally:
                    self.connected -= 1
                    self.let_go += 1
                    writer.close()
            await asyncio.sleep(0.1)


async def crowded(port: int, path: str, sockets: int, seconds: float) -> tuple[Told, Crowd, int]:
    """What the healthy one is told while the crowd is there; the crowd, and how many were connected at the end."""
    crowd = Crowd(port, path)
    tasks = [asyncio.create_task(crowd.one(number)) for number in range(sockets)]
    await asyncio.sleep(COMING_S)
    healthy = await asyncio.to_thread(listener.quiet, port, path, seconds)
    connected = crowd.connected
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return healthy, crowd, connected


def main(sockets: int, seconds: float) -> None:
    """Prints the table."""
    print("| before | slow sockets | let go | answers | failed | p50 | p99 |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "postgresql") as url:
        folder = Path(name)
        house = house_at(url, folder)
        house.database.migrate()
        bubble = fixtures().World(house, folder).bubble(length_bytes=LENGTH_BYTES)
        house.database.close()
        path = f"/media/{bubble.code}.ogg"
        with serving(url, folder) as bare, nginx(folder / "proxy", application=bare) as proxy:
            time.sleep(1)
            for side, port in (("nginx", proxy.port), ("the bare service", bare)):
                print(f"| {side} | 0 | 0 | {listener.quiet(port, path, seconds).row()} |", flush=True)
                healthy, crowd, connected = asyncio.run(crowded(port, path, sockets, seconds))
                print(f"| {side} | {connected} | {crowd.let_go - connected} | {healthy.row()} |", flush=True)


if __name__ == "__main__":
    main(int((sys.argv[1:] or [SOCKETS])[0]), float((sys.argv[2:] or [SECONDS])[0]))
