"""How quickly a bubble's page comes beside twenty clients who mean harm, and what each of their requests costs.

    python -m tests.bench.hostile [BUBBLES]

One web process on a database of its own (20,000 bubbles). Each kind of client alone, then all kinds together, for ten
seconds each: cursors that anybody can make without a key, with a list of near words of 6 KB; languages that nobody
speaks; sitemaps, whole; addresses of thousands of tags. All of it takes two minutes.
"""

import base64
import hashlib
import itertools
import json
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from urllib.parse import quote

import psycopg
import structlog
import uvicorn

from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db import embedded
from bubbles.db.engine import Database
from bubbles.find import Query
from bubbles.http.asgi import create_app
from tests.bench import listener, search

BUBBLES = 20_000
CLIENTS = 20
SECONDS = 10.0
WORDS_SAID = 12
CODE = "benchbubble000001"
PAGE, PAGE_BYTES = f"/b/{CODE}", 8_000
WORDS = "aaaa " * 40
TAGS = 5_000
GIVES_UP_S = 15.0
TELLING = "UPDATE bubble SET code = %s WHERE id = 1"


def forged() -> str:
    """A search with a cursor as one without a key would be signed, and more near words than there can be."""
    words = {"aaaa": [f"{a}{b}{c}a" for a, b, c in itertools.product("bcdfghjklm", "aeiou", "bcdfghjklmnpq")]}
    content = [1, 1, "A" * 16, 1, words]
    encoded = base64.urlsafe_b64encode(json.dumps(content, separators=(",", ":")).encode()).decode().rstrip("=")
    query = Query(q=WORDS)
    asked = [getattr(query, field.name) for field in fields(query) if field.compare]
    digest = hashlib.sha256(f"{asked!r} {query.sort} {encoded!r}".encode()).digest()
    return f"/api/bubbles?q={quote(query.q)}&cursor={base64.urlsafe_b64encode(digest).decode()[:16]}{encoded}"


def kinds() -> dict[str, list[str]]:
    """What each kind of client asks for, in turn."""
    return {
        "forged cursors": [forged()],
        "languages nobody speaks": [f"/api/bubbles?language={one}{two}" for one in "jqxz" for two in "aqwz"],
        "sitemaps": ["/sitemap.xml", "/sitemaps/1.xml", "/sitemaps/2.xml", "/sitemaps/3.xml"],
        "thousands of tags": ["/search?" + "&".join(f"tag={number}" for number in range(TAGS))],
    }


def serve(url: str, folder: Path, taken: socket.socket) -> None:
    """The server's process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    house = House(Settings(data_dir=folder), Database(url), open_store((folder / "blobs").as_uri()), transcriber=None)  # type: ignore[arg-type]
    uvicorn.Server(uvicorn.Config(create_app(house), log_level="critical", access_log=False)).run([taken])


@contextmanager
def serving(url: str, folder: Path) -> Iterator[tuple[int, int]]:
    """The port and the process of a server that is listening."""
    taken = socket.create_server(("127.0.0.1", 0), backlog=2048)
    port = taken.getsockname()[1]
    process = multiprocessing.get_context("fork").Process(target=serve, args=(url, folder, taken))
    process.start()
    taken.close()
    try:
        assert listener.ask(port, PAGE, PAGE_BYTES), "the page does not come"
        yield port, process.pid or 0
    finally:
        process.terminate()
        process.join()


def answer(port: int, path: str) -> str:
    """The status of an answer, read to its end."""
    with socket.create_connection(("127.0.0.1", port), GIVES_UP_S) as client:
        client.settimeout(GIVES_UP_S)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: client.recv(1 << 16), b""))
    return received[9:12].decode()


@contextmanager
def hostile(port: int, asked: list[list[str]]) -> Iterator[Counter[str]]:
    """Clients who ask again as soon as they were answered; what they were told."""
    told, over = Counter[str](), threading.Event()

    def run(paths: list[str]) -> None:
        for path in itertools.cycle(paths):
            if over.is_set():
                return
            try:
                told[answer(port, path)] += 1
            except OSError as error:
                told[type(error).__name__] += 1

    clients = [threading.Thread(target=run, args=(asked[number % len(asked)],)) for number in range(CLIENTS)]
    for each in clients:
        each.start()
    try:
        yield told
    finally:
        over.set()
        for each in clients:
            each.join()


def cpu_s(pid: int) -> float:
    """Seconds of a core that a process has used."""
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def fill(database: Database, count: int) -> None:
    """Bubbles, one of them with a code that pages take."""
    search.WORDS_SAID = WORDS_SAID
    search.fill(database, count)
    with psycopg.connect(database.libpq_url) as connection:
        connection.execute(TELLING, [CODE])


def costs(port: int, pid: int) -> None:
    """What one request of each kind takes, while nobody else asks."""
    print("\n| one request | answered | seconds | CPU-seconds of the web process |\n|---|---|---|---|")
    for name, paths in kinds().items():
        began_s, before_s = time.monotonic(), cpu_s(pid)
        status = answer(port, paths[0])
        print(f"| {name} | {status} | {time.monotonic() - began_s:.3f} | {cpu_s(pid) - before_s:.2f} |", flush=True)


def main(count: int) -> None:
    """Prints both tables."""
    with tempfile.TemporaryDirectory() as name, embedded.running(Path(name) / "postgresql") as url:
        database = Database(url)
        database.migrate()
        fill(database, count)
        with serving(url, Path(name)) as (port, pid):
            costs(port, pid)
            print(f"\n| beside {CLIENTS} clients | pages | failed | p50 | p95 | their answers |\n{'|---' * 6}|")
            tell("nobody", listener.quiet(port, PAGE, SECONDS, least_bytes=PAGE_BYTES), Counter())
            everyone = list(kinds().values())
            for kind, asked in [*((kind, [paths]) for kind, paths in kinds().items()), ("all together", everyone)]:
                with listener.coming(port, PAGE, least_bytes=PAGE_BYTES) as told, hostile(port, asked) as answers:
                    time.sleep(SECONDS)
                tell(kind, told, answers)
        database.close()


def tell(kind: str, told: listener.Told, answers: Counter[str]) -> None:
    """A row."""
    came = f"{len(told.took_s)} | {told.failed} | {told.at(0.5):.0f} ms | {told.at(0.95):.0f} ms"
    print(f"| {kind} | {came} | {dict(sorted(answers.items()))} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BUBBLES)
