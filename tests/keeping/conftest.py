"""Houses to back up and empty places to restore into, on a disk and in a bucket."""

import hashlib
import secrets
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bubbles import accounts, ids, moderation, pipeline, publish, upkeep
from bubbles.app import House
from bubbles.archive import Archive
from bubbles.blobs.address import open_store
from bubbles.blobs.store import BlobStore, put_bytes
from bubbles.config import Settings
from bubbles.db import accounts as account_rows
from bubbles.db import bubbles, channels, dump
from bubbles.db.engine import Database
from bubbles.model.bubble import Bubble
from bubbles.model.rendition import MEDIA_TYPES, Rendition
from bubbles.model.step import StepName
from bubbles.speech.transcriber import FakeTranscriber
from tests.blobs.conftest import start_seaweed, weed  # noqa: F401 - fixtures
from tests.conftest import libpq

SAID = "the ferry leaves at seven"
NewHouse = Callable[..., House]
BOTH = pytest.mark.parametrize("new_store", ["disk", "s3"], indirect=True)
GONE_MAX_S = 60
ALL = (StepName.NORMALISE, StepName.TRANSCRIBE)


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of a tone."""
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    tone = np.sin(np.arange(8_000) * 2 * np.pi * 440 / 16_000) * 20_000
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(tone.astype("<i2").tobytes())
    return path


@pytest.fixture(scope="session")
def spare() -> list[str]:
    """Names of databases that tests are done with."""
    return []


@pytest.fixture
def new_database(postgres: str, spare: list[str]) -> Iterator[Callable[[bool], Database]]:
    """Databases, migrated or without any table. They go with the server."""
    url = make_url(postgres)
    with psycopg.connect(libpq(url.set(database="postgres")), autocommit=True) as server, ExitStack() as stack:

        def new(migrated: bool) -> Database:
            used = spare.pop() if spare and not migrated else None
            name = used or f"kept_{uuid4().hex}"
            if not used:
                server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{url.database if migrated else "template1"}"')
            database = Database(url.set(database=name).render_as_string(hide_password=False))
            stack.callback(spare.append, name)
            stack.callback(database.close)
            return emptied(database) if used else database

        yield new


def emptied(database: Database) -> Database:
    """The same database without any table, which is quicker than a new one."""
    with database.transaction() as session:
        session.connection().exec_driver_sql("DROP SCHEMA IF EXISTS bubbles_restoring CASCADE")
        session.connection().exec_driver_sql("DROP SCHEMA public CASCADE")
        session.connection().exec_driver_sql("CREATE SCHEMA public")
    return database


@pytest.fixture
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], BlobStore]:
    """Stores without any blob, on a disk, or in a bucket for a test that is parametrised so."""
    if getattr(request, "param", "disk") == "disk":
        return lambda: open_store((tmp_path / uuid4().hex).as_uri())
    server = request.getfixturevalue("weed")
    keys = {"access_key_id": server.access_key, "secret_access_key": server.secret_key}
    return lambda: open_store(server.url(uuid4().hex), **keys)


@pytest.fixture
def new_house(new_database: Callable[[bool], Database], new_store: Callable[[], BlobStore], tmp_path: Path) -> NewHouse:
    """Houses with nothing in them; `migrated` ones are open."""

    def new(*, migrated: bool = True, blobs: BlobStore | None = None) -> House:
        database, folder = new_database(migrated), tmp_path / uuid4().hex
        folder.mkdir()
        return House(Settings(data_dir=folder), database, blobs or new_store(), FakeTranscriber(SAID))

    return new


@pytest.fixture
def house(new_house: NewHouse) -> House:
    """A house with an owner, since an empty one is not backed up."""
    made = new_house()
    with made.database.transaction() as session:
        accounts.create(session, "owner", now=made.now())
    return made


def shelved(house: House, *, handle: str = "owner", title: str = "") -> Bubble:
    """A bubble that is ready, with sound that nobody made: quicker than its journey."""
    now, code = house.now(), ids.new_code()
    with house.database.transaction() as session:
        account = account_rows.by_handle(session, handle) or accounts.create(session, handle, now=now)
        channel = channels.by_handle(session, handle)
        assert channel
        bubble = Bubble(
            code=code, channel_id=channel.id, author_id=account.id, title=title, duration_s=1.0, recording_sha256="0",
            recording_bytes=1, recorded_at=now, created_at=now, playable_at=now, ready_at=now,
        )  # fmt: skip
        session.add(bubble)
        session.flush()
        session.add_all([_rendition(house, bubble, kind) for kind in MEDIA_TYPES])
    return bubble


def _rendition(house: House, bubble: Bubble, kind: str) -> Rendition:
    content = secrets.token_bytes(1000)
    sha256 = hashlib.sha256(content).hexdigest()
    key = f"renditions/{bubble.code}/{sha256[:32]}.{kind}"
    put_bytes(house.blobs, key, content)
    return Rendition(
        bubble_id=bubble.id, kind=kind, blob_key=key, length_bytes=1000, sha256=sha256, minute_bytes=1000,
        created_at=bubble.created_at,
    )  # fmt: skip


def published(house: House, sound: Path, *steps: StepName, **fields: str) -> Bubble:
    """A bubble that has gone through these steps."""
    bubble = publish.publish(house, sound, {"latitude": "48.85", "longitude": "2.35"} | fields)
    for name in steps:
        pipeline.run_step(house, name, bubble.id)
    return bubble


def withdraw(house: House, code: str) -> None:
    with house.database.transaction() as session:
        found = bubbles.by_code(session, code, account_id=None)
        assert found
        moderation.withdraw(session, found[0], by="operator", reason="asked", now=house.now())
    upkeep.discard(house.database, house.blobs, now=house.now())


def work_off(house: House) -> None:
    """Runs all steps that are not over, as a worker would."""
    with house.database.transaction() as session:
        waiting = session.connection().execute(
            text("SELECT bubble_id FROM step WHERE finished_at IS NULL AND gave_up_at IS NULL")
        )
        ids = list(waiting.scalars())
    for bubble_id in ids:
        for name in ALL:
            pipeline.run_step(house, name, bubble_id)


def row(house: House, code: str) -> Bubble:
    with house.database.transaction() as session:
        found = bubbles.by_code(session, code, account_id=None)
    assert found
    return found[0]


def kept(house: House, bubble: Bubble) -> list[str]:
    """The keys of a bubble's renditions."""
    with house.database.transaction() as session:
        return [made.blob_key for made in bubbles.renditions(session, bubble.id)]


def count(house: House, rows: str) -> int:
    """How many rows there are of a table, `table` or `table WHERE ...`."""
    with house.database.transaction() as session:
        return int(session.connection().execute(text(f"SELECT count(*) FROM {rows}")).scalar_one())  # noqa: S608


def journey(house: House, bubble: Bubble) -> None:
    """Takes a bubble to its end, and lets go of what is over."""
    for name in ALL:
        pipeline.run_step(house, name, bubble.id)
    upkeep.discard(house.database, house.blobs, now=house.now())


def set_names(folder: Path) -> list[str]:
    """The backups in a folder, newest first."""
    with Archive.held(folder) as archive:
        return [each.folder.name for each in archive.sets()]


def until_gone(house: House) -> None:
    """Returns when no pg_restore is at work."""
    deadline_s = time.monotonic() + GONE_MAX_S
    while dump.is_loading(house.database):
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


class Stand:
    """A store behind one that a test changes; `does` is what the test wants to happen."""

    def __init__(self, store: BlobStore, does: Callable[[], None]) -> None:
        self.store = store
        self.does = does

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)
