"""Houses to back up and empty places to restore into, on a disk and in a bucket."""

import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import numpy as np
import psycopg
import pytest
from sqlalchemy.engine import make_url

from bubbles import pipeline, publish
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.blobs.store import BlobStore
from bubbles.config import Settings
from bubbles.db.engine import Database
from bubbles.model.bubble import Bubble
from bubbles.model.step import StepName
from bubbles.speech.transcriber import FakeTranscriber
from tests.blobs.conftest import start_seaweed, weed  # noqa: F401 - fixtures
from tests.conftest import libpq

SAID = "the ferry leaves at seven"
NewHouse = Callable[..., House]


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


@pytest.fixture
def new_database(postgres: str) -> Iterator[Callable[[], Database]]:
    """Databases without any table. They go with the server."""
    url = make_url(postgres)
    with psycopg.connect(libpq(url.set(database="postgres")), autocommit=True) as server, ExitStack() as stack:

        def new() -> Database:
            name = f"kept_{uuid4().hex}"
            server.execute(f'CREATE DATABASE "{name}"')
            database = Database(url.set(database=name).render_as_string(hide_password=False))
            stack.callback(database.close)
            return database

        yield new


@pytest.fixture
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], BlobStore]:
    """Stores without any blob, on a disk, or in a bucket for a test that is parametrised so."""
    if getattr(request, "param", "disk") == "disk":
        return lambda: open_store((tmp_path / uuid4().hex).as_uri())
    server = request.getfixturevalue("weed")
    keys = {"access_key_id": server.access_key, "secret_access_key": server.secret_key}
    return lambda: open_store(server.url(uuid4().hex), **keys)


@pytest.fixture
def new_house(new_database: Callable[[], Database], new_store: Callable[[], BlobStore], tmp_path: Path) -> NewHouse:
    """Houses with nothing in them; `migrated` ones are open."""

    def new(*, migrated: bool = True) -> House:
        database, folder = new_database(), tmp_path / uuid4().hex
        folder.mkdir()
        if migrated:
            database.migrate()
        return House(Settings(data_dir=folder), database, new_store(), FakeTranscriber(SAID))

    return new


@pytest.fixture
def house(new_house: NewHouse) -> House:
    return new_house()


def published(house: House, sound: Path, *steps: StepName, **fields: str) -> Bubble:
    """A bubble that has gone through these steps."""
    bubble = publish.publish(house, sound, {"latitude": "48.85", "longitude": "2.35"} | fields)
    for name in steps:
        pipeline.run_step(house, name, bubble.id)
    return bubble
