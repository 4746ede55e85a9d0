"""A house on a real PostgreSQL and a real disk, and a world to listen to."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bubbles import ids
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db.engine import Database
from bubbles.http import looks
from bubbles.http.asgi import create_app
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel, Membership, Role
from bubbles.model.rendition import MEDIA_TYPES, Rendition
from bubbles.model.token import Token
from tests.http.pages_fixtures import BROWSER, Stage
from tests.http.people import People
from tests.http.studio_author import Author, author_of
from tests.http.wire import Wire, served

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MONDAY_22 = datetime(2026, 11, 23, 22, tzinfo=UTC)
_number = count()


@dataclass
class Clock:
    """The clock of the house, held by the test."""

    at: datetime = MONDAY_22

    def __call__(self) -> datetime:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class World:
    """Makes what is there to listen to. Every call makes something of its own."""

    house: House
    folder: Path
    sounds: dict[str, bytes] = field(default_factory=dict)

    def channel(self) -> tuple[Channel, dict[str, str]]:
        """A channel, and the headers by which its owner is known."""
        handle, secret = f"channel{next(_number)}", ids.new_secret()
        with self.house.database.transaction() as session:
            account = Account(handle=handle, created_at=MONDAY_22)
            channel = Channel(handle=handle, title=handle, created_at=MONDAY_22)
            session.add_all([account, channel])
            session.flush()
            member = Membership(
                channel_id=channel.id, account_id=account.id, role=Role.OWNER, since=MONDAY_22
            )  # fmt: skip
            token = Token(account_id=account.id, secret_hash=ids.hashed(secret), created_at=MONDAY_22)
            session.add_all([member, token])
        return channel, {"Authorization": f"Bearer {secret}"}

    def bubble(self, channel: Channel | None = None, *, length_bytes: int = 200_000, **columns: Any) -> Bubble:
        """A public, playable bubble of 100 s; a minute of it is half of its bytes."""
        channel = channel or self.channel()[0]
        values = {"duration_s": 100.0, "playable_at": MONDAY_22, "author_id": channel.id} | columns
        with self.house.database.transaction() as session:
            bubble = Bubble(
                code=ids.new_code(), channel_id=channel.id, recording_sha256="0",
                recording_bytes=1, recorded_at=MONDAY_22, created_at=MONDAY_22, **values,
            )  # fmt: skip
            session.add(bubble)
            session.flush()
            session.add_all([self._rendition(bubble, kind, length_bytes) for kind in MEDIA_TYPES])
        return bubble

    def _rendition(self, bubble: Bubble, kind: str, length_bytes: int) -> Rendition:
        sound = hashlib.shake_128(f"{bubble.code}.{kind}".encode()).digest(length_bytes)
        self.sounds[f"/media/{bubble.code}.{kind}"] = sound
        source, sha256 = self.folder / "source", hashlib.sha256(sound).hexdigest()
        source.write_bytes(sound)
        stored = self.house.blobs.put(
            f"renditions/{bubble.code}.{kind}", source, sha256=sha256, content_type=MEDIA_TYPES[kind]
        )
        return Rendition(
            bubble_id=bubble.id, kind=kind, blob_key=stored.key, length_bytes=length_bytes, sha256=sha256,
            minute_bytes=length_bytes // 2, created_at=MONDAY_22,
        )  # fmt: skip


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests is no part that hangs."""
    monkeypatch.setattr(looks, "LOOK_MAX_S", 60)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(database: Database, clock: Clock, tmp_path: Path) -> House:
    settings = Settings(data_dir=tmp_path, trusted_proxies="10.0.0.0/8, 2001:db8:ffff::/48", query_timeout_s=30)
    blobs = open_store((tmp_path / "blobs").as_uri())
    return House(settings, database, blobs, transcriber=None, now=clock)  # type: ignore[arg-type] # nobody speaks


@pytest.fixture
def world(house: House, tmp_path: Path) -> World:
    return World(house, tmp_path)


@pytest.fixture
def stage(house: House, world: World) -> Stage:
    return Stage(house, world)


@pytest.fixture
def people(house: House) -> People:
    return People(house)


@pytest.fixture
def owner(people: People) -> Account:
    """Somebody with an account."""
    return people.account()


@pytest.fixture
def app(house: House) -> Starlette:
    return create_app(house)


@pytest.fixture
def client(app: Starlette) -> Iterator[TestClient]:
    """A listener with a browser, at 192.0.2.1."""
    with TestClient(app, headers={"User-Agent": FIREFOX}, client=("192.0.2.1", 50000)) as client:
        yield client


@pytest.fixture
def browser(app: Starlette) -> Iterator[TestClient]:
    """A browser that asks for pages."""
    with TestClient(app, headers=BROWSER) as client:
        yield client


@pytest.fixture
def peer(app: Starlette) -> Any:
    """Makes a client that connects from another address: `peer("10.1.1.1")`."""
    return lambda host, agent=FIREFOX: TestClient(app, headers={"User-Agent": agent}, client=(host, 50000))


@pytest.fixture
def nothing_waits(house: House) -> Iterator[None]:
    """What a test leaves in the queue is gone for the next one."""
    yield
    with house.database.transaction() as session:
        session.connection().exec_driver_sql("TRUNCATE step, discard, serving, chore, procrastinate_jobs CASCADE")


@pytest.fixture
def at_home(app: Starlette) -> Iterator[TestClient]:
    """A client on this machine, as Prometheus is one."""
    with TestClient(app, client=("127.0.0.1", 50000)) as client:
        yield client


@pytest.fixture
def author(client: TestClient, world: World, house: House) -> Author:
    """An author in the studio."""
    return author_of(client, world, house)


@pytest.fixture
def wire(house: Any) -> Iterator[Wire]:
    with served(house) as found:
        yield found


@pytest.fixture
def hasty(house: Any) -> Iterator[Wire]:
    """One that waits for a second where others wait for half a minute."""
    with served(house, head_timeout_s=1, body_timeout_s=1, body_rate_min=100) as found:
        yield found
