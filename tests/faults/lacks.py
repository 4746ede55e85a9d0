"""What the machine that a house is on may lack for a while: room on a disk, the right time, a model that answers."""

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

from bubbles.archive import Archive, BackupSet
from bubbles.errors import Missing
from bubbles.speech.transcriber import FakeTranscriber
from tests.faults.lives import WRITE, Life

HOUR = timedelta(hours=1)
REAL = {"open": os.open, "made": io.open}
NO_ROOM = "there was no room"
FULL = """
CREATE SEQUENCE full_disk_met;
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM nextval('full_disk_met');
    RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
END $$;
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE 'CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON ' || name || ' EXECUTE FUNCTION full_disk()';
    END LOOP;
END $$
"""
"""SQLSTATE 53100, for whatever would need room: what goes may still go. A sequence remembers what is rolled back."""

ROOM = "DROP FUNCTION full_disk CASCADE; DROP SEQUENCE full_disk_met"


class Failing(FakeTranscriber):
    """A model that is absent, hangs until its deadline, or eats all memory."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def transcribe(self, samples: object, *, language: str | None) -> object:  # type: ignore[override]
        raise self._error


def no_hearing(error: Exception) -> Callable[[Life], AbstractContextManager[None]]:
    @contextmanager
    def failing(life: Life) -> Iterator[None]:
        object.__setattr__(life.house, "transcriber", Failing(error))
        yield

    return failing


@contextmanager
def no_room(life: Life) -> Iterator[None]:
    """Files can still be made, of blobs, uploads, work and backups, and nothing can be written to them."""

    def filled(handle: int, flags: int) -> int:
        if flags & os.O_CREAT and flags & (os.O_EXCL | os.O_TRUNC) and not os.get_inheritable(handle):
            full = REAL["open"]("/dev/full", os.O_WRONLY)
            os.dup2(full, handle, inheritable=False)
            os.close(full)
            life.told(NO_ROOM)
        return handle

    def opened(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        return filled(REAL["open"](path, flags, *rest, **named), flags)

    def made(file: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if isinstance(file, int) or not str(os.fspath(file)).startswith(str(life.ground.folder)):
            return REAL["made"](file, mode, *rest, **named)
        opener = named.pop("opener", None) or (lambda path, flags: opened(path, flags, 0o600))
        return REAL["made"](file, mode, *rest, opener=opener, **named)

    os.open, io.open, builtins.open = opened, made, made
    try:
        yield
    finally:
        os.open, io.open, builtins.open = REAL["open"], REAL["made"], REAL["made"]


def room_for(length_bytes: int) -> Callable[[Life], AbstractContextManager[None]]:
    """So many bytes of blobs can be written, all in all."""

    @contextmanager
    def filling(life: Life) -> Iterator[None]:
        written = 0

        def write(handle: int, chunk: bytes) -> int:
            nonlocal written
            written += len(chunk)
            if written > length_bytes:
                life.told(NO_ROOM)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return WRITE(handle, chunk)

        os.write = write
        try:
            yield
        finally:
            os.write = WRITE

    return filling


@contextmanager
def no_room_for_the_dump(life: Life) -> Iterator[None]:
    """A backup can be begun, and nothing of what pg_dump writes can be kept."""
    begin = Archive.begin

    def begun(archive: Archive) -> BackupSet:
        part = begin(archive)
        part.dump.symlink_to("/dev/full")
        life.told(NO_ROOM)
        return part

    Archive.begin = begun  # type: ignore[method-assign]
    try:
        yield
    finally:
        Archive.begin = begin  # type: ignore[method-assign]


@contextmanager
def no_room_for_rows(life: Life) -> Iterator[None]:
    """PostgreSQL's own disk is full."""
    with life.house.database.transaction() as session:
        session.connection().exec_driver_sql(FULL)
    try:
        yield
    finally:
        with life.house.database.transaction() as session:
            if session.connection().exec_driver_sql("SELECT is_called FROM full_disk_met").scalar_one():
                life.told(NO_ROOM)
            session.connection().exec_driver_sql(ROOM)


def wrong_time(by: timedelta) -> Callable[[Life], AbstractContextManager[None]]:
    @contextmanager
    def moved(life: Life) -> Iterator[None]:
        life.clock.ahead = by
        yield

    return moved


LACKS: dict[str, Callable[[Life], AbstractContextManager[None]]] = {
    "the disk is full": no_room,
    "the database's disk is full": no_room_for_rows,
    "the clock is an hour ahead": wrong_time(HOUR),
    "the clock is an hour behind": wrong_time(-HOUR),
    "the model is absent": no_hearing(Missing("model", "fetch it")),
    "the model hangs": no_hearing(TimeoutError("the model took too long")),
    "the model eats all memory": no_hearing(Missing("memory", "give more")),
}

FILLING: dict[str, Callable[[Life], AbstractContextManager[None]]] = {
    "there is room for marks alone": room_for(1_000),
    "there is room for one recording": room_for(48_000),
    "there is no room for the dump": no_room_for_the_dump,
}
"""What is done with a house as a whole takes more room than all else: the disk is full in its midst."""
