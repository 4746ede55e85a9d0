"""Empty houses on a disk and in a bucket, and processes to try them with; and a house with a bubble that waits."""

import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bubbles import accounts, publish
from bubbles.app import House
from bubbles.audio import sandbox
from bubbles.audio.press import press
from bubbles.audio.sandbox import Limits
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db import bubbles, steps
from bubbles.db.engine import Database
from bubbles.model.bubble import Bubble, State
from bubbles.model.step import Step, StepName
from bubbles.model.times import utc_now
from tests.blobs.seaweed import SeaweedS3, seaweed
from tests.conftest import libpq
from tests.faults.lives import Ground, Sound
from tests.faults.trial import rehearse
from tests.faults.warm import Warm, warmed

RATE_HZ = 16_000
NAME = StepName.NORMALISE
STALLED_AFTER_S = 10
EMPTY = """
DO $$ DECLARE name text; left_over int := 1; BEGIN
    WHILE left_over > 0 LOOP
        left_over := 0;
        FOR name IN SELECT quote_ident(tablename) FROM pg_tables
            WHERE schemaname = 'public' AND tablename <> 'alembic_version' AND tablename NOT LIKE 'town%'
        LOOP
            BEGIN EXECUTE 'DELETE FROM ' || name;
            EXCEPTION WHEN foreign_key_violation THEN left_over := left_over + 1; END;
        END LOOP;
    END LOOP;
END $$
"""
"""Deleting a handful of rows is a tenth of the work of TRUNCATE."""


@dataclass
class Grounds:
    """One warm database, emptied for each house, and a store of its own for each."""

    template: Ground
    folder: Path
    made: int = 0

    def new(self) -> Ground:
        """An empty house."""
        self.made += 1
        folder = self.folder / str(self.made)
        folder.mkdir()
        with psycopg.connect(libpq(make_url(self.template.database_url))) as connection:
            connection.execute(EMPTY)
        url = self.template.blob_url.replace("NUMBER", str(self.made))
        return replace(self.template, folder=folder, blob_url=url or (folder / "data" / "blobs").as_uri())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    """A second of a tone, decoded and encoded once, by the real parts."""
    folder = tmp_path_factory.mktemp("sound")
    samples = (np.sin(np.arange(RATE_HZ) * 2 * np.pi * 440 / RATE_HZ) * 12_000).astype("<i2")
    with wave.open(str(folder / "tone.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    decoded = sandbox.decode(folder / "tone.wav", Limits())
    encoded = press(decoded.pcm, folder, deadline_s=60)
    return Sound(folder / "tone.wav", decoded, [(each, each.path.read_bytes()) for each in encoded])


@pytest.fixture(scope="session")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedS3]:
    with seaweed(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.fixture(scope="module", params=["disk", "s3"])
def grounds(
    request: pytest.FixtureRequest, database: Database, sound: Sound, tmp_path_factory: pytest.TempPathFactory
) -> Grounds:
    """Houses whose sound is kept on a disk, or in a bucket."""
    folder = tmp_path_factory.mktemp(request.param)
    with database.transaction() as session:  # the server is not what dies here
        session.connection().execute(text(f'ALTER DATABASE "{session.bind.url.database}" SET synchronous_commit = off'))
    template = Ground(folder, database.libpq_url, "", sound)
    if request.param == "s3":
        server = request.getfixturevalue("bucket")
        keys = {"s3_access_key_id": server.access_key, "s3_secret_access_key": server.secret_key}
        template = replace(template, blob_url=server.url(f"{folder.name}/NUMBER"), **keys)
    return Grounds(template, folder)


@pytest.fixture(scope="module")
def warm(grounds: Grounds) -> Iterator[Warm]:
    with warmed(rehearse, grounds.new()) as process:
        yield process


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    settings = Settings(
        data_dir=tmp_path / "here",
        database_url=database.libpq_url,
        blob_url=(tmp_path / "blobs").as_uri(),
        stalled_after_s=STALLED_AFTER_S,
        attempts_max=2,
    )
    settings.data_dir.mkdir()
    with database.transaction() as session:
        session.connection().execute(text("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE"))
        accounts.first(session, now=utc_now())
    return House(settings, database, open_store(settings.blobs), transcriber=None)  # type: ignore[arg-type] # unasked


@pytest.fixture
def bubble(house: House, tmp_path: Path) -> Bubble:
    """One that waits for its renditions."""
    with wave.open(str(tmp_path / "tone.wav"), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", "none"))
        sound.writeframes((np.sin(np.arange(16_000) / 6) * 20_000).astype("<i2").tobytes())
    return publish.publish(house, tmp_path / "tone.wav", {})


def step_of(house: House, bubble: Bubble) -> Step:
    with house.database.transaction() as session:
        step = steps.of(session, bubble.id, NAME)
    assert step
    return step


def state_of(house: House, bubble: Bubble) -> State:
    with house.database.transaction() as session:
        return bubbles.get(session, bubble.id).state
