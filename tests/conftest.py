"""What all tests share: one database server, and where speech comes from."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import URL, make_url
from sqlmodel import Session

from bubbles.db.embedded import running
from bubbles.db.engine import Database, Share

CHECKOUT = Path(__file__).resolve().parent.parent
ENDS_MAX_MS = 60_000
SPOKEN = "The lighthouse keeper sold fresh lemons near the old harbour every morning."


settings.register_profile("beside others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside others")  # however long an example takes on a machine that has much else to do


def pytest_configure() -> None:
    """Told to leave, the tests end what they started, as on Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@dataclass(frozen=True)
class Speech:
    """A recording of someone speaking, and what they say, in lower case without punctuation."""

    path: Path
    text: str
    language: str


def speech_folder() -> Path:
    """Where real speech with reference texts lies, if it does."""
    return Path(os.environ.get("BUBBLES_SPEECH_DIR", CHECKOUT.parent / "shared" / "speech"))  # noqa: TID251 - a test


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Speech:
    """Real English speech from `BUBBLES_SPEECH_DIR`, else the same sentence from a TTS voice."""
    path = speech_folder() / "fleurs-en-000.ogg"
    if path.is_file():
        return Speech(path, path.with_suffix(".txt").read_text().strip(), "en")
    path = tmp_path_factory.mktemp("speech") / "spoken.wav"
    speak(SPOKEN, path)
    return Speech(path, SPOKEN.lower().rstrip("."), "en")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real server whose database is migrated and empty: the mould of all others."""
    with running(tmp_path_factory.mktemp("server") / "postgresql") as url:
        mould = Database(url)
        mould.migrate()
        mould.close()
        yield url


@pytest.fixture(scope="module")
def database(postgres: str) -> Iterator[Database]:
    """A migrated database of the test file's own."""
    name = f"test_{uuid4().hex}"
    url = make_url(postgres)
    with psycopg.connect(libpq(url.set(database="postgres")), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{url.database}"')
        address = url.set(database=name).render_as_string(hide_password=False)
        database = Database(address, share=Share(timeout_s=30))  # on a busy machine a query takes its time
        yield database
        database.close()
        # FORCE would fail on a vacuum worker, which is not ours to end; without it the server ends that by itself.
        ours = "FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
        connection.execute(f"SELECT pg_terminate_backend(pid, {ENDS_MAX_MS}) {ours}", [name])  # and waits for each
        connection.execute(f'DROP DATABASE "{name}"')


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A transaction of which nothing stays."""
    with database.transaction() as session:
        yield session
        session.rollback()


def libpq(url: URL) -> str:
    """A URL as the driver itself takes it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def speak(text: str, path: Path) -> None:
    """Writes a WAV of a voice that says `text`."""
    from hibari import Hibari

    Hibari().save(text, str(path))
