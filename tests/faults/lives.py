"""Lives: processes that do something in a house until it is done or they die, one after the other.

A house is a database, a store and a folder. What is asked of it, and what it answered, is written to a ledger that no
crash touches: the memory of those who use it.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import boto3.session
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.jobs import Status
from sqlalchemy import text
from starlette.testclient import TestClient

import bubbles.normalise
from bubbles import accounts, ids, pipeline
from bubbles.app import House
from bubbles.audio import sandbox
from bubbles.audio.renditions import Encoded
from bubbles.blobs.address import open_store
from bubbles.blobs.bucket import Patience
from bubbles.config import Settings
from bubbles.db.engine import Database
from bubbles.http.asgi import create_app
from bubbles.model.times import utc_now
from bubbles.model.token import Token
from bubbles.shift import Shift
from bubbles.speech.transcriber import FakeTranscriber

WRITE = os.write
"""Memory is no disk that could be full."""

QUEUE_MAX_S = 5
"""How long the queue is waited for when the database has cut us off."""

HANDLE, SECRET = "ana", "ana-tells-it-to-nobody"
WORDS = "hello from a bubble"


@dataclass(frozen=True)
class Sound:
    """A second of sound, and what decoding and encoding make of it, done once: neither keeps anything."""

    wav: Path
    decoded: sandbox.Decoded
    renditions: list[tuple[Encoded, bytes]]

    def decode(self, path: Path, limits: sandbox.Limits) -> sandbox.Decoded:
        path.read_bytes()
        return self.decoded

    def press(self, pcm: bytes, folder: Path, *, deadline_s: float) -> list[Encoded]:
        made = [replace(encoded, path=folder / encoded.path.name) for encoded, _ in self.renditions]
        for encoded, (_, content) in zip(made, self.renditions, strict=True):
            encoded.path.write_bytes(content)
        return made


@dataclass(frozen=True)
class Ground:
    """Where lives are lived: everything that outlasts them."""

    folder: Path
    database_url: str
    blob_url: str
    sound: Sound
    s3_access_key_id: str = ""
    s3_secret_access_key: str = ""
    patience: Patience | None = None

    @property
    def notes(self) -> Path:
        """The operations that were counted, a line each."""
        return self.folder / "notes"

    @property
    def ledger(self) -> Path:
        """What was asked and answered."""
        return self.folder / "ledger"


@dataclass
class Clock:
    """The house's clock, moved on by the test: seconds go on passing in between."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass
class Life:
    """One process in a house, with someone at its door who remembers what they were told."""

    ground: Ground
    house: House
    clock: Clock
    stack: ExitStack
    _remembers: int = field(init=False)

    def __post_init__(self) -> None:
        self._remembers = os.open(self.ground.ledger, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

    @cached_property
    def client(self) -> TestClient:
        """Ana's, who has an account and a program that holds its token."""
        app = create_app(self.house)
        return self.stack.enter_context(TestClient(app, headers={"Authorization": f"Bearer {SECRET}"}))

    @cached_property
    def queue(self) -> "Queue":
        """Once it is asked for, this process is known as a worker."""
        loop = self.stack.enter_context(asyncio.Runner())
        return self.stack.enter_context(closing(Queue(self.house, loop)))

    def told(self, what: str, **facts: Any) -> None:
        """Remembers that the house has acknowledged something."""
        WRITE(self._remembers, (json.dumps({"what": what} | facts) + "\n").encode())

    def remembered(self, what: str) -> list[dict[str, Any]]:
        """What was acknowledged, in order."""
        lines = map(json.loads, self.ground.ledger.read_text().splitlines())
        return [line for line in lines if line["what"] == what]

    def settle(self) -> None:
        """Makes Ana's account."""
        with self.house.database.transaction() as session:
            account = accounts.create(session, HANDLE, now=self.clock())
            session.add(Token(account_id=account.id, secret_hash=ids.hashed(SECRET), created_at=self.clock()))

    def post(self, title: str, **fields: str) -> str:
        """Publishes the sound under a key of its own, as often as it takes; remembers the code."""
        with self.ground.sound.wav.open("rb") as audio:
            sent = {"latitude": "48.85", "longitude": "2.35", "title": title} | fields
            headers = {"Idempotency-Key": title}
            answer = self.client.post("/api/bubbles", data=sent, files={"audio": audio}, headers=headers)
        assert answer.status_code == 202, answer.text
        code = str(answer.json()["code"])
        self.told("accepted", title=title, code=code)
        return code

    def code(self, title: str) -> str:
        """The code that publishing under a title was answered with."""
        return str(next(line["code"] for line in self.remembered("accepted") if line["title"] == title))

    def work(self, *queues: str) -> None:
        """Runs the jobs that are due, in one queue or all, as a worker does: taken, run, finished."""
        run = {job.name: job.run for job in pipeline.jobs(self.house, Shift())}
        manager = self.queue.app.job_manager
        while job := self.queue.ask(manager.fetch_job(list(queues) or None, self.queue.worker_id)):
            run[job.task_name](**job.task_kwargs)
            self.queue.ask(manager.finish_job(job, Status.SUCCEEDED, delete_job=True))

    def wait(self, ahead: timedelta) -> None:
        """Time passes: the house's clock moves on, jobs fall due, workers that are gone are known to be."""
        self.clock.ahead += ahead
        due = (
            "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' AND scheduled_at <= :now",
            "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - make_interval(secs => :s)",
        )
        with self.house.database.transaction() as session:
            for statement in due:
                session.connection().execute(text(statement), {"now": self.clock(), "s": ahead.total_seconds()})

    def run_schedule(self) -> None:
        """What runs by itself, once each, and the work that comes of it."""
        for job in pipeline.jobs(self.house, Shift()):
            if job.cron:
                job.run()
        self.work()


class Queue:
    """The queue as a worker sees it that takes one job after the other."""

    def __init__(self, house: House, loop: asyncio.Runner) -> None:
        connector = PsycopgConnector(conninfo=house.database.libpq_url, min_size=1, max_size=1, timeout=QUEUE_MAX_S)
        self.app = App(connector=connector)
        self._loop = loop
        self.ask(self.app.open_async())
        self.worker_id = self.ask(self.app.job_manager.register_worker())

    def ask(self, question: Any) -> Any:
        """What the queue answers."""

        async def answer() -> Any:
            return await question

        return self._loop.run(answer())

    def close(self) -> None:
        """Leaves, as a worker that was not killed."""
        self.ask(self.app.job_manager.unregister_worker(self.worker_id))
        self.ask(self.app.close_async())


def send(life: Life, what: str, title: str, method: str, path: str, **sent: Any) -> None:
    """Asks for a change, and remembers that it was acknowledged."""
    answer = life.client.request(method, f"/api/bubbles/{life.code(title)}{path}", **sent)
    assert answer.is_success, answer.text
    life.told(what, code=life.code(title), **sent)


@contextmanager
def life(ground: Ground) -> Iterator[Life]:
    """A process in the house: the same that `open_house` opens, but for the sound, the words and the clock."""
    settings = _settings().model_copy(update={"data_dir": ground.folder / "data", "blob_url": ground.blob_url})
    settings.data_dir.mkdir(mode=0o700, exist_ok=True)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory((ground.folder / "log").open("a")))
    store = open_store(
        settings.blobs,
        access_key_id=ground.s3_access_key_id,
        secret_access_key=ground.s3_secret_access_key,
        patience=ground.patience,
    )
    clock = Clock()
    sandbox.decode, bubbles.normalise.press = ground.sound.decode, ground.sound.press
    database = _database(ground.database_url)
    house = House(settings, database, store, FakeTranscriber(WORDS), now=clock)
    with ExitStack() as stack:
        yield Life(ground, house, clock, stack)
    database.close()


@cache
def _settings() -> Settings:
    return Settings(attempts_max=20)


@cache
def _database(url: str) -> Database:
    """The same for all forks of a process, closed in each: it remembers how statements are written."""
    return Database(url)


boto3.session.Session = cache(boto3.session.Session)  # type: ignore[misc]  # it reads the description of S3 only once
