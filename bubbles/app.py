"""The only composition root: settings become database, blobs, speech and clock."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from bubbles import data_folder, spans
from bubbles.absences import ABSENCES
from bubbles.audio.sandbox import Limits
from bubbles.blobs.address import open_store
from bubbles.blobs.moving import MovingStore
from bubbles.blobs.store import BlobStore
from bubbles.blobs.timed import timed
from bubbles.config import Settings
from bubbles.db import away, embedded
from bubbles.db.engine import Database, Share, is_address
from bubbles.errors import Missing
from bubbles.model.draft import TextLimits
from bubbles.model.times import utc_now
from bubbles.speech.pool import SpeechPool
from bubbles.speech.process import SpeechProcess
from bubbles.speech.transcriber import Engine, Transcriber

POSTGRESQL = re.compile(r"postgres(ql)?(\+\w+)?://")
LOOK_AGAIN_S = 1.0
"""How often one looks whether a database that is away is there again."""

NO_PROXY = (
    "BUBBLES_TRUSTED_PROXIES is empty, so all visitors count as one network, and as one listener; "
    "name the proxy that speaks https"
)


@dataclass(frozen=True)
class House:
    """What every edge and every step works with."""

    settings: Settings
    database: Database
    blobs: BlobStore
    transcriber: Transcriber
    now: Callable[[], datetime] = utc_now

    @property
    def probe_limits(self) -> Limits:
        """What a recording may be, for the sandbox."""
        return Limits(
            duration_max_s=self.settings.duration_max_s,
            tolerance_s=self.settings.duration_tolerance_s,
            duration_min_s=self.settings.duration_min_s,
            timeout_s=self.settings.probe_timeout_s,
            memory_mib=self.settings.probe_memory_mib,
        )

    @property
    def text_limits(self) -> TextLimits:
        """How long texts may be."""
        settings = self.settings
        return TextLimits(title_max=settings.title_max, tags_max=settings.tags_max, tag_max=settings.tag_max)


@contextmanager
def open_house(
    settings: Settings,
    *,
    on_progress: Callable[[str], None] = lambda _: None,
    migrate: bool = True,
    patient: bool = False,
) -> Iterator[House]:
    """Everything that the settings name, ready to use: the database is up and migrated. Closed at the end.

    `patient`: waits for a database that is away, or being restored.
    """
    data_folder.make(settings.data_dir)
    if settings.traces == "otlp":
        spans.configure()
    with database_url(settings, on_progress=on_progress) as url:
        database = Database(url, share=Share(settings.queries_at_once, settings.query_timeout_s))
        transcriber = speech(settings)
        try:
            while migrate and not _migrated(database, patient=patient):
                time.sleep(LOOK_AGAIN_S)
            yield House(settings, database, store(settings), transcriber)
        finally:
            transcriber.close()
            database.close()


def _migrated(database: Database, *, patient: bool) -> bool:
    """Whether the database is up and migrated; raises what is in the way unless that may pass and one is `patient`."""
    try:
        database.migrate()
    except (Missing, SQLAlchemyError) as error:
        passes = isinstance(error, Missing) or (away.is_away(error) and not away.is_wrong_door(error))
        if not patient or not passes:
            raise
        ABSENCES.missed("database", error.detail if isinstance(error, Missing) else away.detail(error))
        return False
    return True


@contextmanager
def database_url(settings: Settings, *, on_progress: Callable[[str], None] = lambda _: None) -> Iterator[str]:
    """The URL of the database: the one that is set, else the embedded server's, which is held up meanwhile.

    Raises `Missing("database")` for a URL that names none; it never repeats it, as it may hold a password.
    """
    if settings.database_url:
        if not POSTGRESQL.match(settings.database_url) or not is_address(settings.database_url):
            raise Missing("database", "BUBBLES_DATABASE_URL must be as postgresql://user:password@host/database.")
        yield settings.database_url
        return
    data_folder.prepare(settings.data_dir)
    with embedded.running(settings.data_dir / "postgresql", on_progress=on_progress) as url:
        yield url


def store(settings: Settings) -> BlobStore:
    """Where sound is kept; raises `Missing("store")` for a URL that names no store."""
    present = _open(settings, settings.blobs, what="BUBBLES_BLOB_URL")
    if not settings.blob_url_before:
        return timed(present)
    return timed(MovingStore(present, _former(settings)))


def _former(settings: Settings) -> BlobStore:
    """The store that is being moved from, with keys of its own if it has some."""
    own = settings.s3_access_key_id_before
    keyed = {"s3_access_key_id": own, "s3_secret_access_key": settings.s3_secret_access_key_before} if own else {}
    return _open(settings.model_copy(update=keyed), settings.blob_url_before, what="BUBBLES_BLOB_URL_BEFORE")


def store_at(settings: Settings, url: str, *, what: str) -> BlobStore:
    """The store of a URL, with the keys of the settings; raises `Missing("store")`, which names `what`."""
    return timed(_open(settings, url, what=what))


def _open(settings: Settings, url: str, *, what: str) -> BlobStore:
    secret = settings.s3_secret_access_key.get_secret_value()
    try:
        return open_store(url, access_key_id=settings.s3_access_key_id, secret_access_key=secret)
    except ValueError as error:
        raise Missing("store", f"{what}: {error}") from None


def speech(settings: Settings) -> Transcriber:
    """Whisper, in processes of its own that start with the first recordings."""

    def process() -> Transcriber:
        return SpeechProcess(
            settings.whisper_model,
            settings.models_dir,
            memory_mib=settings.transcribe_memory_mib,
            deadline_s=settings.transcribe_deadline_s,
            engine=Engine(settings.whisper_device, settings.whisper_compute_type),
        )

    return SpeechPool([process() for _ in range(settings.transcribe_at_once)])
