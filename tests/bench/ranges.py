"""Ranged reads a second of the same bytes, by who sends them.

    python -m tests.bench.ranges [SECONDS [CONNECTIONS]]

Ours, judged and counted, alone; the same through the shipped nginx, sent by us and handed to nginx; against Starlette's
FileResponse and the shipped nginx's plain files, which judge and count nothing. One uvicorn process without request log
for each way of delivery, a real PostgreSQL, a closed loop of a few connections; the sides take turns in one run.
"""

import importlib.util
import multiprocessing
import random
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bubbles import logs
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db.embedded import running
from bubbles.db.engine import Database
from bubbles.http.asgi import create_app
from bubbles.http.bounds import Bounds
from bubbles.http.connection import Connection
from tests.infra.proxy import nginx

SECONDS = 10.0
CONNECTIONS = 4
TURNS = 10
LENGTH_BYTES = 1_000_000
RANGE_BYTES = 32 * 1024
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def fixtures() -> Any:
    """The world of the HTTP tests."""
    path = Path(__file__).parents[1] / "http" / "conftest.py"
    spec = importlib.util.spec_from_file_location("http_world", path)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def house_at(url: str, folder: Path, **settings: Any) -> House:
    made, blobs = Settings(data_dir=folder, **settings), open_store((folder / "blobs").as_uri())
    return House(made, Database(url), blobs, transcriber=None)  # type: ignore[arg-type]


def serve(url: str, folder: Path, listener: socket.socket, settings: dict[str, Any]) -> None:
    """The server's process: the application, and beside its routes `/file`."""

    def file(request: Request) -> Response:
        return FileResponse(folder / "source", media_type="audio/ogg")

    logs.configure("warning")
    app = create_app(house_at(url, folder, **settings))
    app.router.routes.append(Route("/file", file))
    known = app.state.house.settings.model_copy(update={"connections_per_network": 100_000})  # all come from here
    bounded = partial(Connection, bounds=Bounds(known))
    config = uvicorn.Config(app, http=bounded, log_level="warning", access_log=False, proxy_headers=False)  # type: ignore[arg-type]
    uvicorn.Server(config).run([listener])


@contextmanager
def serving(url: str, folder: Path, **settings: Any) -> Iterator[int]:
    """Gives the port of a server that is listening."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    process = multiprocessing.get_context("fork").Process(target=serve, args=(url, folder, listener, settings))
    process.start()
    try:
        yield listener.getsockname()[1]
    finally:
        process.terminate()
        process.join()


def loop(port: int, path: str, seed: int, seconds: float) -> int:
    """Reads of one connection within that time, each a random range; a server may end it after some, as nginx does."""
    chance, reads, deadline = random.Random(seed), 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.create_connection(("127.0.0.1", port)) as client, suppress(ConnectionError):
            while time.monotonic() < deadline:
                start = chance.randrange(LENGTH_BYTES - RANGE_BYTES)
                client.sendall(
                    f"GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {AGENT}\r\n"
                    f"Range: bytes={start}-{start + RANGE_BYTES - 1}\r\n\r\n".encode()
                )
                answer(client)
                reads += 1
    return reads


def answer(client: socket.socket) -> None:
    """Reads one answer to its end; raises ConnectionError where the server has ended the connection."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(client, 1 << 16)
    head, _, body = received.partition(b"\r\n\r\n")
    assert b" 206 " in head.splitlines()[0], head
    missing = RANGE_BYTES - len(body)
    while missing:
        missing -= len(_some(client, missing))


def _some(client: socket.socket, length_bytes: int) -> bytes:
    if not (received := client.recv(length_bytes)):
        raise ConnectionError
    return received


def rate(port: int, path: str, connections: int, seconds: float) -> float:
    """Reads a second of all connections together."""
    with ThreadPoolExecutor(connections) as pool:
        return sum(pool.map(lambda seed: loop(port, path, seed, seconds), range(connections))) / seconds


def measured(sides: dict[str, tuple[int, str]], connections: int, seconds: float) -> dict[str, float]:
    """Reads a second of each side, a port and a path; they take turns."""
    rates = dict.fromkeys(sides, 0.0)
    for port, path in sides.values():
        rate(port, path, connections, 0.5)
    for _ in range(TURNS):
        for side, (port, path) in sides.items():
            rates[side] += rate(port, path, connections, seconds / TURNS) / TURNS
    return rates


@contextmanager
def sides_of(url: str, folder: Path, path: str) -> Iterator[dict[str, tuple[int, str]]]:
    """Every side, running: the rendition at `path`, and the same bytes as the file `source`."""
    plain = {"include nginx/media.conf;": f"include nginx/media.conf; location /plain/ {{ alias {folder}/; }}"}
    handed = {"media_delivery": "nginx", "trusted_proxies": "127.0.0.1"}
    with ExitStack() as stack:
        app = stack.enter_context(serving(url, folder))
        handing = stack.enter_context(serving(url, folder, **handed))
        before = stack.enter_context(nginx(folder / "before", application=app, changes=plain))
        sender = stack.enter_context(nginx(folder / "sender", application=handing, blobs=folder / "blobs"))
        yield {
            "ours alone": (app, path),
            "ours behind nginx": (before.port, path),
            "handed to nginx": (sender.port, path),
            "FileResponse": (app, "/file"),
            "plain nginx": (before.port, "/plain/source"),
        }


def main(seconds: float, connections: int) -> None:
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "postgresql") as url:
        folder = Path(name)
        house = house_at(url, folder)
        house.database.migrate()
        bubble = fixtures().World(house, folder).bubble(length_bytes=LENGTH_BYTES)
        house.database.close()
        with sides_of(url, folder, f"/media/{bubble.code}.ogg") as sides:
            rates = measured(sides, connections, seconds)
        print(f"reads of {RANGE_BYTES} bytes a second, {connections} connections\n")
        print("| side | reads/s | of FileResponse | of plain nginx |\n|---|---|---|---|")
        for side, found in rates.items():
            print(
                f"| {side} | {found:.0f} | {found / rates['FileResponse']:.2f} | {found / rates['plain nginx']:.2f} |"
            )
        with house.database.transaction() as session:
            requests = session.connection().execute(text("SELECT sum(requests) FROM served")).scalar()
        print(f"\ncounted: {requests} requests")
        house.database.close()


if __name__ == "__main__":
    main(float((sys.argv[1:] or [SECONDS])[0]), int((sys.argv[2:] or [CONNECTIONS])[0]))
