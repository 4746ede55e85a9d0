"""What runs by itself: each chore is idempotent, and says what it counted, for `/metrics`."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bubbles import erasures, leave, orphans, retry, spans, upkeep
from bubbles.absences import ABSENCES
from bubbles.app import House
from bubbles.db import away, chores, steps
from bubbles.db import jobs as job_rows
from bubbles.db.jobs import Job
from bubbles.errors import Missing
from bubbles.shift import Shift

UPKEEP, RESCUE, SWEEPS = "upkeep", "rescue", "sweeps"
"""Their queues. The others go with `upkeep`: taking over from the dead waits for no store, and what was withdrawn is
purged while all names of a large store are read."""

DEADLINE_S = 3600
"""How long a chore may take."""

EVERY_TEN_SECONDS = "* * * * * */10"
"""The sixth field of a cron line is seconds."""

TIDY_EVERY_S = 1200
"""How soon what a crash has left is gone from this machine: it may be what fills its disk."""

ORPHANS_KEPT = "orphans_kept"
"""What a sweep counts that it would not delete, since it is too much; there is an alert on it."""

Counts = Counter[str]
"""What a chore did, by what was counted; kept as far as it came when it fails."""

log = structlog.get_logger()


def jobs(house: House, shift: Shift, *, overdue_after: timedelta) -> list[Job]:
    """All of them with their hours. A step that began longer ago than `overdue_after` hangs."""

    def job(name: str, run: Callable[[House, Counts], None], cron: str, *, queue: str = UPKEEP) -> Job:
        def watched() -> None:
            with shift.task(name, deadline_s=DEADLINE_S), told(house, name) as counts:
                run(house, counts)

        return Job(name, queue, watched, cron=cron)

    def revive(house: House, counts: Counts) -> None:
        with house.database.transaction() as session:
            counts["steps"] += steps.revive(session, overdue_after=overdue_after)
        if counts["steps"]:
            log.warning("steps_revived", count=counts["steps"])

    return [
        job("recover", _recover, EVERY_TEN_SECONDS, queue=RESCUE),
        job("revive", revive, "* * * * *", queue=RESCUE),
        job("discard", discard, "* * * * *"),
        job("erasures", _mark_erasures, "* * * * *"),
        job("leave", _go_on_leaving, "* * * * *"),
        job("forget", _forget, "7 * * * *"),
        job("again", _try_again, "37 * * * *"),
        job("sweep", sweep, "23 * * * *", queue=SWEEPS),
        job("orphans", sweep_orphans, "41 3 * * *", queue=SWEEPS),
    ]


@contextlib.contextmanager
def database_may_be_away() -> Iterator[None]:
    """What runs again by itself needs no trace of a database that is away, or lacks what it needs."""
    try:
        yield
    except Exception as error:
        if not away.is_troubled(error):
            raise
        ABSENCES.missed("database", away.detail(error))


@contextlib.contextmanager
def told(house: House, name: str, *, by_hand: bool = False) -> Iterator[Counts]:
    """Writes down how a chore ended and what it counted.

    A part that is away is no fault where it comes again soon; `by_hand` raises it: somebody waits for the answer.
    """
    counts: Counts = Counter()
    began_s, ended = time.monotonic(), "failed"
    with structlog.contextvars.bound_contextvars(chore=name):
        try:
            with spans.span(f"chore {name}"):
                yield counts
            ended = "well"
        except Exception as error:
            if (missing := _missing(error)) is None:
                raise
            ended = "waits"
            if by_hand:
                raise missing from error
            ABSENCES.missed(missing.part, missing.detail)
        finally:
            took_s, failed = round(time.monotonic() - began_s, 3), ended != "well"
            tells = ended == "failed" or any(counts.values())
            (log.info if tells else log.debug)("chore", took_s=took_s, failed=failed, **counts)
            with contextlib.suppress(SQLAlchemyError), house.database.transaction() as session:
                chores.ran(session, name, now=house.now(), took_s=took_s, counts=counts, failed=failed)


def _missing(error: Exception) -> Missing | None:
    """The part whose absence ended a chore, if one did."""
    return error if isinstance(error, Missing) else away.missing(error)


def _recover(house: House, counts: Counts) -> None:
    with house.database.transaction() as session:
        recovered = job_rows.recover(session, stalled_after_s=house.settings.stalled_after_s)
    counts["jobs"] += len(recovered)
    if recovered:
        log.warning("jobs_recovered", jobs=recovered)


def discard(house: House, counts: Counts) -> None:
    """Deletes the blobs that are to go by now. Raises `Missing("store")` when some stay."""
    counts["blobs"] += upkeep.discard(house.database, house.blobs, now=house.now())


def _mark_erasures(house: House, counts: Counts) -> None:
    counts["marks"] += erasures.mark(house.database, house.blobs, now=house.now(), at_most=erasures.A_MINUTE)


def _go_on_leaving(house: House, counts: Counts) -> None:
    counts["bubbles"] += leave.go_on(house.database, now=house.now())


def _forget(house: House, counts: Counts) -> None:
    days = house.settings.idempotency_days
    counts["uploads"] += upkeep.forget(house.database, now=house.now(), idempotency_days=days)
    counts["emptied"] += upkeep.empty_withdrawn(house.database)
    erasures.catch_up(house.database)
    with house.database.transaction() as session:
        job_rows.forget(session)


def _try_again(house: House, counts: Counts) -> None:
    counts["steps"] += retry.again(house.database, now=house.now())


@contextlib.contextmanager
def tidying(house: House) -> Iterator[None]:
    """Meanwhile, sweeps this machine's own folders: the chore runs on one machine of many."""
    left = Event()

    def tidy() -> None:
        while True:
            counts: Counts = Counter()
            _sweep_own_folders(house, counts)
            if counts["files"]:
                log.info("tidied", **counts)
            if left.wait(TIDY_EVERY_S):
                return

    Thread(target=tidy, name="tidying", daemon=True).start()
    try:
        yield
    finally:
        left.set()


def _sweep_own_folders(house: House, counts: Counts) -> None:
    for folder in (workdir(house), house.settings.uploads_dir):
        counts["files"] += upkeep.sweep_files(folder, now=house.now())


def sweep(house: House, counts: Counts) -> None:
    """Removes what a crash has left and nobody needs. Raises `Missing("store")`, then with less done."""
    _sweep_own_folders(house, counts)
    kept = timedelta(days=house.settings.failed_recording_days)
    counts["recordings"] += upkeep.drop_old_recordings(house.database, now=house.now(), kept=kept)
    counts["files"] += house.blobs.sweep(before=house.now() - upkeep.LEFTOVER_AGE)


def sweep_orphans(house: House, counts: Counts, *, however_many: bool = False) -> None:
    """Removes blobs that no row names. It reads the names of all blobs, and so comes once a day."""
    age = timedelta(days=house.settings.orphan_days)
    looked = orphans.sweep(house.database, house.blobs, now=house.now(), age=age, however_many=however_many)
    counts["orphans"] += looked.doomed
    counts[ORPHANS_KEPT] += looked.orphans - looked.doomed


def workdir(house: House) -> Path:
    """Where steps keep their temporary files."""
    folder = house.settings.data_dir / "work"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
