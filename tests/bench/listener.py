"""A listener who comes again and again, each time anew, in a process of its own: how long until the answer is whole."""

import math
import multiprocessing
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
RANGE_BYTES = 32 * 1024
GIVES_UP_S = 10.0
AT_ONCE = 32


@dataclass
class Told:
    """Seconds to each whole answer, from the moment it was due to be asked for; and how often there was none."""

    took_s: list[float] = field(default_factory=list)
    failed: int = 0

    def at(self, part: float) -> float:
        """A quantile, in milliseconds; who gave up waited `GIVES_UP_S`."""
        waits = sorted([*self.took_s, *[GIVES_UP_S] * self.failed])
        return waits[min(len(waits) - 1, math.ceil(part * len(waits)) - 1)] * 1000 if waits else math.nan

    def row(self) -> str:
        """Cells of a table: answers, failures, p50, p99."""
        return f"{len(self.took_s)} | {self.failed} | {self.at(0.5):.1f} ms | {self.at(0.99):.1f} ms"


def ask(port: int, path: str, least_bytes: int = RANGE_BYTES) -> bool:
    """Whether a first range of the sound, or a page, came whole over a new connection: more than so many bytes."""
    wish = f"GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {AGENT}\r\nRange: bytes=0-{RANGE_BYTES - 1}\r\n"
    with socket.create_connection(("127.0.0.1", port), GIVES_UP_S) as client:
        client.settimeout(GIVES_UP_S)
        client.sendall(f"{wish}Connection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: client.recv(1 << 16), b""))
    head = received.partition(b"\r\n")[0]
    return (b" 206 " in head or b" 200 " in head) and len(received) > least_bytes


def _come(asked: tuple[int, str, int], per_second: float, come: Event, leaving: Event, results: "Queue[Told]") -> None:
    come.set()
    told, began_s = Told(), time.monotonic()

    def once(due_s: float) -> None:
        try:
            came = ask(*asked)
        except OSError:
            came = False
        if came:
            told.took_s.append(time.monotonic() - due_s)
        else:
            told.failed += 1

    with ThreadPoolExecutor(AT_ONCE) as pool:
        turn = 0
        while not leaving.is_set():
            due_s = began_s + turn / per_second
            time.sleep(max(0.0, due_s - time.monotonic()))
            pool.submit(once, due_s)
            turn += 1
    results.put(told)


@contextmanager
def coming(port: int, path: str, *, per_second: float = 20.0, least_bytes: int = RANGE_BYTES) -> Iterator[Told]:
    """Somebody who asks so often; what they were told is there once the context has ended."""
    context, told = multiprocessing.get_context("spawn"), Told()
    come, leaving, results = context.Event(), context.Event(), context.Queue()
    process = context.Process(target=_come, args=((port, path, least_bytes), per_second, come, leaving, results))
    process.start()
    try:
        assert come.wait(60)
        yield told
    finally:
        leaving.set()
        found = results.get(timeout=10 * GIVES_UP_S)
        told.took_s, told.failed = found.took_s, found.failed
        process.join()


def quiet(port: int, path: str, seconds: float, *, per_second: float = 20.0, least_bytes: int = RANGE_BYTES) -> Told:
    """How it is while nobody else asks."""
    with coming(port, path, per_second=per_second, least_bytes=least_bytes) as told:
        time.sleep(seconds)
    return told
