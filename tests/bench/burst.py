"""200 uploads of 1 MB at once: none lost, none doubled, the surplus told when to come again; a listener meanwhile.

    python -m tests.bench.burst [UPLOADS [ACCOUNTS [LAYOUT...]]]

A whole service with one worker, as `make run` starts it, first `bare`, then behind the shipped `nginx`; without a
speech model, so that every recording is kept until it was looked at. Each upload has its own sound and
Idempotency-Key, and comes again as it is told until it is in; one in ten also hears nothing of its 202 and sends once
more.

The listener is asked for more than 1,000 answers before, meanwhile, and after all is playable. What other programs of
the machine cost shows in both quiet times; the lower p99 of the two is what the burst is held against.
"""

import asyncio
import hashlib
import random
import socket
import sys
import tempfile
import time
import wave
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from sqlalchemy import text

from bubbles.blobs.address import open_store
from bubbles.db import embedded
from bubbles.db.engine import Database
from tests.bench import listener
from tests.infra.proxy import nginx
from tests.journey.service import Service, running, wait_for
from tests.ports import free_port

UPLOADS = 200
ACCOUNTS = 20
LAYOUTS = ("bare", "nginx")
PER_SECOND = 40.0
QUIET_S = 30.0
PATIENCE_S = 300.0
RATE_HZ = 48_000
SECONDS = 10.9
TOLD_TO_WAIT = {429, 503}


@dataclass
class Burst:
    """What came back."""

    answers: Counter[str] = field(default_factory=Counter)
    without_advice: int = 0
    codes: dict[str, set[str]] = field(default_factory=dict)
    """By Idempotency-Key, every code that was acknowledged."""


def sound(number: int, path: Path) -> bytes:
    """A WAV of one megabyte that no other upload has: a tone in noise."""
    time_s = np.arange(int(RATE_HZ * SECONDS)) / RATE_HZ
    noise = np.random.default_rng(number).normal(0, 800, len(time_s))
    samples = (np.sin(time_s * 2 * np.pi * (200 + number)) * 8000 + noise).astype(np.int16)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", "none"))
        file.writeframes(samples.tobytes())
    return path.read_bytes()


async def upload(client: httpx.AsyncClient, token: str, body: bytes, burst: Burst) -> None:
    """Sends until it is in."""
    key, chance = hashlib.sha256(body).hexdigest()[:32], random.Random(body)
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    again = chance.random() < 0.1
    ends_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_s:
        try:
            answer = await client.post("/api/bubbles", files={"audio": ("a.wav", body)}, headers=headers)
        except httpx.TransportError as error:
            burst.answers[type(error).__name__] += 1
            await asyncio.sleep(1)
            continue
        burst.answers[str(answer.status_code)] += 1
        if answer.status_code == 202:
            burst.codes.setdefault(key, set()).add(answer.json()["code"])
            if not again:
                return
            again = False
        elif answer.status_code in TOLD_TO_WAIT and "retry-after" in answer.headers:
            await asyncio.sleep(min(5.0, float(answer.headers["retry-after"])) * chance.uniform(1, 1.5))
        else:
            burst.without_advice += 1
            await asyncio.sleep(1)


async def all_at_once(url: str, tokens: list[str], bodies: list[bytes]) -> Burst:
    """Every upload at the same moment."""
    burst, limits = Burst(), httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S, limits=limits) as client:
        uploads = [upload(client, tokens[n % len(tokens)], body, burst) for n, body in enumerate(bodies)]
        await asyncio.gather(*uploads)
    return burst


def kept(url: str, blobs: str) -> dict[str, int]:
    """The bubbles that there are, by code, and how many of their sounds the store holds whole."""
    database, store = Database(url), open_store(blobs)
    with database.transaction() as session:
        rows = session.connection().execute(text("SELECT code, recording_sha256, recording_bytes FROM bubble")).all()
    database.close()
    held = set(store.keys("recordings/"))
    digests = {hashlib.sha256(b"".join(store.open_range(key, 0, 1 << 30))).hexdigest() for key in held}
    return {code: int(sha256 in digests) for code, sha256, _ in rows}


def published(service: Service, folder: Path) -> str:
    """The path of a sound to listen to."""
    path = folder / "first.wav"
    sound(10_000, path)
    code = service.command("publish", str(path), "--at", "48.85,2.35").rpartition("/")[2]
    with service.client() as client:
        wait_for(lambda: client.get(f"/api/bubbles/{code}").json().get("state") == "playable")
    return f"/media/{code}.ogg"


@contextmanager
def laid_out(layout: str, service: Service, folder: Path) -> Iterator[int]:
    """The port that everybody comes to."""
    application = int(service.url.rpartition(":")[2])
    if layout == "bare":
        yield application
        return
    uploads = int(service.environment["BUBBLES_UPLOAD_PORT"])
    wait_for(lambda: listens(uploads))
    with nginx(folder / "proxy", application=application, uploads=uploads) as proxy:
        yield proxy.port


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def all_playable(url: str) -> bool:
    """Whether nothing is left of the burst but words to be written down."""
    database = Database(url)
    with database.transaction() as session:
        left = session.connection().execute(text("SELECT count(*) FROM bubble WHERE playable_at IS NULL")).scalar_one()
    database.close()
    return left == 0


def main(uploads: int, accounts: int, layout: str) -> None:
    """Prints the tables of one layout."""
    with tempfile.TemporaryDirectory() as name, embedded.running(Path(name) / "postgresql") as url:
        folder = Path(name)
        bodies = [sound(number, folder / "upload.wav") for number in range(uploads)]
        settings = {"DATABASE_URL": url, "WHISPER_MODEL": str(folder / "none"), "LOG_LEVEL": "warning"}
        if layout == "nginx":  # as the shipped unit and compose file have it
            settings |= {"TRUSTED_PROXIES": "127.0.0.1", "UPLOAD_PORT": str(free_port())}
        with (
            (folder / "log").open("w") as log,
            running(folder, log=log, **settings) as service,
            laid_out(layout, service, folder) as port,
        ):
            for number in range(accounts):
                service.command("account", "create", f"author{number}")
            tokens = [service.command("token", "create", f"author{number}") for number in range(accounts)]
            path = published(service, folder)
            before = listener.quiet(port, path, QUIET_S, per_second=PER_SECOND)
            began_s = time.monotonic()
            with listener.coming(port, path, per_second=PER_SECOND) as meanwhile:
                burst = asyncio.run(all_at_once(f"http://127.0.0.1:{port}", tokens, bodies))
            took_s = time.monotonic() - began_s
            wait_for(lambda: all_playable(url), timeout_s=2 * PATIENCE_S)
            after = listener.quiet(port, path, QUIET_S, per_second=PER_SECOND)
        there = kept(url, (folder / "data" / "blobs").as_uri())
    print(f"\n### {layout}\n")
    tell(burst, there, uploads=uploads, took_s=took_s)
    print("\n| listener | answers | failed | p50 | p99 |\n|---|---|---|---|---|")
    print(f"| before | {before.row()} |\n| meanwhile | {meanwhile.row()} |\n| after | {after.row()} |")
    quiet_ms = min(before.at(0.99), after.at(0.99))
    print(f"\np99 meanwhile is {meanwhile.at(0.99) / quiet_ms:.1f} times the quiet one", flush=True)


def tell(burst: Burst, there: dict[str, int], *, uploads: int, took_s: float) -> None:
    """Prints what became of the uploads."""
    acknowledged = {code for codes in burst.codes.values() for code in codes}
    doubled = sum(len(codes) - 1 for codes in burst.codes.values()) + len(there) - 1 - len(acknowledged)
    print(f"{uploads} uploads at once; all answered for good after {took_s:.1f} s")
    print(f"answers: {dict(sorted(burst.answers.items()))}")
    print(f"never in: {uploads - len(burst.codes)}")
    print(f"lost: {sum(not there.get(code) for code in acknowledged)}")
    print(f"doubled: {doubled}")
    print(f"refused without Retry-After: {burst.without_advice}")


if __name__ == "__main__":
    for layout in sys.argv[3:] or LAYOUTS:
        main(int((sys.argv[1:] or [UPLOADS])[0]), int((sys.argv[2:] or [ACCOUNTS])[0]), layout)
