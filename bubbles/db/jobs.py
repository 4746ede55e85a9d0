"""The queue, a table in the same database; the only Procrastinate.

A job is enqueued inside the caller's transaction: rolled back with it, visible with it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
import structlog
from procrastinate.worker import Worker
from sqlalchemy import text
from sqlmodel import Session

from bubbles.db import away
from bubbles.db.engine import NOTICE_SILENCE
from bubbles.errors import Missing

HEARTBEAT_S = 5.0
CONNECTION_MAX_S = 15.0
"""How long a worker waits for the database before it counts as away: then it leaves, and is started anew.

A machine that has far too much to do may let it wait for ten: to load a model once more would be no help to it.
"""

TURN_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
RECOVERY_LOCK = 0x72657363
"""One recovery at a time: a second would take a job from the worker that the first has just handed it to."""

_ALONE = text("SELECT pg_try_advisory_xact_lock(:lock)")
_FORGET_WAITING = text("DELETE FROM procrastinate_jobs WHERE lock = :lock AND status = 'todo'")
_STALLED = text("""
    SELECT job.id, job.task_name FROM procrastinate_jobs job
    LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing'
      AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => :after_s))
    FOR UPDATE OF job
""")
_LET_GO = text("""
    DELETE FROM procrastinate_jobs job WHERE id = ANY(:ids) AND (queueing_lock IS NOT NULL OR EXISTS (
        SELECT FROM procrastinate_jobs next WHERE next.lock = job.lock AND next.status = 'todo'
    ))
""")
_OVERDUE = text("""
    DELETE FROM procrastinate_jobs WHERE id IN (
        SELECT id FROM procrastinate_jobs job WHERE status = 'doing' AND lock IS NOT NULL AND NOT EXISTS (
            SELECT FROM procrastinate_events event WHERE event.job_id = job.id AND event.type = 'started'
            AND event.at > now() - make_interval(secs => :overdue_s)
        )
        FOR UPDATE SKIP LOCKED
    )
""")
_HAND_OVER = text("""
    WITH handed AS (
        UPDATE procrastinate_jobs SET status = 'todo', attempts = attempts + 1, worker_id = NULL
        WHERE id = ANY(:ids) RETURNING id, queue_name
    )
    SELECT pg_notify(
        'procrastinate_queue_v1#' || queue_name, json_build_object('type', 'job_inserted', 'job_id', id)::text
    ) FROM handed
""")
_FORGET_FAILED = text("""
    DELETE FROM procrastinate_jobs job WHERE status NOT IN ('todo', 'doing') AND NOT EXISTS (
        SELECT FROM procrastinate_events WHERE job_id = job.id AND at > now() - interval '1 day'
    )
""")
log = structlog.get_logger()
_deferrer = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


@dataclass(frozen=True)
class Job:
    """A kind of work: its name, the queue it stands in, what runs it, and when it runs by itself (cron) if ever.

    One that runs by itself takes no argument and never waits twice.
    """

    name: str
    queue: str
    run: Callable[..., None]
    cron: str | None = None


def enqueue(
    session: Session,
    name: str,
    *,
    queue: str,
    lock: str | None = None,
    run_in: timedelta | None = None,
    turn_at: datetime | None = None,
    once: bool = False,
    **arguments: Any,
) -> None:
    """Adds a job in the session's transaction, to be run after `run_in` by the database's clock.

    Jobs of one `lock` run one after the other, and only the last that was added waits. In a queue the earliest
    `turn_at` runs first, those without before all. `once`: not beside a waiting job of the same name.
    """
    connection = session.connection()
    if lock is not None:
        # One that is put off to later would hold up this one, as theirs run in the order in which they were added.
        connection.execute(_FORGET_WAITING, {"lock": lock})
    task = _deferrer.configure_task(
        name,
        queue=queue,
        lock=lock,
        schedule_at=_now(session) + run_in if run_in else None,
        priority=priority(turn_at),
        connection=connection.connection.driver_connection,
        queueing_lock=name if once else None,
    )
    with _database_is_named():
        if not once:
            task.defer(**arguments)
            return
        try:
            with session.begin_nested():
                session.connection()  # only now is the SAVEPOINT made
                task.defer(**arguments)
        except procrastinate.exceptions.AlreadyEnqueued:
            pass  # the one that waits will do


@contextlib.contextmanager
def _database_is_named() -> Iterator[None]:
    """Raises `Missing("database")` for the queue's own error where the database is away."""
    try:
        yield
    except procrastinate.exceptions.ConnectorException as error:
        if (missing := away.missing(error)) is None:
            raise
        raise missing from error


def _now(session: Session) -> datetime:
    """When the transaction began, by the one clock that all machines share."""
    now: datetime = session.connection().execute(text("SELECT now()")).scalar_one()
    return now


def priority(turn_at: datetime | None) -> int:
    """The queue runs the greatest first, and knows 32 bits of it: seconds before the epoch, for 68 years after it."""
    return -int((turn_at - TURN_EPOCH).total_seconds()) if turn_at else 0


def recover(session: Session, *, stalled_after_s: float) -> list[str]:
    """Hands the jobs of workers that died to the living, in one transaction; returns their names.

    Two of a kind must not wait. So what runs by itself is let go of instead, since it comes again; and so is a job
    whose next, of the same lock, waits already.
    """
    connection = session.connection()
    if not connection.execute(_ALONE, {"lock": RECOVERY_LOCK}).scalar_one():
        return []
    stalled = connection.execute(_STALLED, {"after_s": stalled_after_s}).all()
    ids = {"ids": [job.id for job in stalled]}
    connection.execute(_LET_GO, ids)
    connection.execute(_HAND_OVER, ids)
    return [job.task_name for job in stalled]


def let_go_overdue(session: Session, *, overdue_after: timedelta) -> None:
    """Drops jobs with a lock that began longer ago than they may take: nothing else of their lock would ever run.

    Their workers hang, or could not say how they ended.
    """
    session.connection().execute(_OVERDUE, {"overdue_s": overdue_after.total_seconds()})


def forget(session: Session) -> None:
    """Drops jobs that failed a day ago or more; what they were for has a job of its own since."""
    connection = session.connection()
    connection.execute(_FORGET_FAILED)


class Workers:
    """Runs jobs in this process: one Procrastinate worker a queue, each with its own concurrency.

    `concurrency` maps a queue to how many of its jobs run at once. Jobs run in threads of the loop's own executor. A
    worker that dies leaves its jobs to `recover`. `on_stop` is called once, before the last jobs are waited for.
    """

    def __init__(
        self,
        url: str,
        jobs: list[Job],
        *,
        concurrency: Mapping[str, int],
        stalled_after_s: float,
        on_stop: Callable[[], None],
    ) -> None:
        # Each queue keeps a connection of its own to be told of new jobs.
        connector = procrastinate.PsycopgConnector(
            conninfo=url, max_size=len(concurrency) + 4, timeout=CONNECTION_MAX_S, kwargs=dict(NOTICE_SILENCE)
        )
        self._app = procrastinate.App(connector=connector)
        self._on_stop = on_stop
        self._asked_to_stop = self.lost_database = False
        for job in jobs:
            self._register(job)
        self._workers = [
            Worker(
                self._app,
                queues=[queue],
                name=queue,
                concurrency=count,
                install_signal_handlers=False,
                fetch_job_polling_interval=5.0,
                update_heartbeat_interval=min(HEARTBEAT_S, stalled_after_s / 4),
                stalled_worker_timeout=stalled_after_s,
                delete_jobs="successful",
            )
            for queue, count in concurrency.items()
        ]

    def _register(self, job: Job) -> None:
        def run(context: procrastinate.JobContext, /, timestamp: int | None = None, **arguments: Any) -> None:
            with structlog.contextvars.bound_contextvars(job_id=context.job.id):
                if timestamp is not None:  # the planned second, when the schedule calls
                    log.debug("scheduled", job=job.name, planned_at=timestamp)
                job.run(**arguments)

        lock = job.name if job.cron else None
        task = self._app.task(name=job.name, queue=job.queue, queueing_lock=lock, pass_context=True)(run)
        if job.cron:
            self._app.periodic(cron=job.cron)(task)

    async def run(self) -> None:
        """Works until `stop`, then ends what is under way.

        A worker whose connection fails ends by itself, and its queue would be served no more: then all of them end,
        `lost_database` is set, and `Missing("database")` is raised, so that the process is started anew.
        """
        with _database_is_named():
            async with self._app.open_async():
                runs = [asyncio.create_task(worker.run()) for worker in self._workers]  # type: ignore[no-untyped-call]
                await asyncio.sleep(0)  # they begin, and forget that they were asked to stop before
                if self._asked_to_stop:
                    self.stop()
                await asyncio.wait(runs, return_when=asyncio.FIRST_COMPLETED)
                self.lost_database = not self._asked_to_stop
                self.stop()
                await asyncio.wait(runs)  # all, also when one has failed: what the others have under way is put back
            errors = [error for each in runs if (error := each.exception())]  # of all, or Python would complain of some
            for error in errors:
                raise error
        if self.lost_database:
            raise Missing("database", "A queue was no longer served: the database was away.")

    def stop(self) -> None:
        """Takes no further job; call it in the event loop's thread."""
        if not self._asked_to_stop:
            self._asked_to_stop = True
            self._on_stop()
        for worker in self._workers:
            worker.stop()  # type: ignore[no-untyped-call]  # theirs

    def abandon(self, session: Session) -> None:
        """Lets go of what is under way here and cannot be ended: the next `recover` hands it over."""
        ids = [worker.worker_id for worker in self._workers if worker.worker_id is not None]
        session.connection().execute(text("DELETE FROM procrastinate_workers WHERE id = ANY(:ids)"), {"ids": ids})
