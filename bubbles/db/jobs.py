"""The queue, a table in the same database; the only Procrastinate.

A job is enqueued inside the caller's transaction: rolled back with it, visible with it.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import procrastinate
import structlog
from procrastinate.worker import Worker
from sqlalchemy import text
from sqlmodel import Session

HEARTBEAT_S = 5.0
RECOVER_CRON = "* * * * * */10"
"""Every ten seconds: the sixth field is seconds."""
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
    run_at: datetime | None = None,
    once: bool = False,
    **arguments: Any,
) -> None:
    """Adds a job in the session's transaction.

    Jobs of one `lock` run one after the other. `once`: not beside a waiting job of the same name.
    """
    connection = session.connection().connection.driver_connection
    task = _deferrer.configure_task(
        name, queue=queue, lock=lock, schedule_at=run_at, connection=connection, queueing_lock=name if once else None
    )
    if not once:
        task.defer(**arguments)
        return
    try:
        with session.begin_nested():
            session.connection()  # only now is the SAVEPOINT made
            task.defer(**arguments)
    except procrastinate.exceptions.AlreadyEnqueued:
        pass  # the one that waits will do


def workers_up(session: Session, *, stalled_after_s: float) -> bool:
    """Whether any worker has given a sign of life within `stalled_after_s` seconds."""
    alive = "SELECT EXISTS (SELECT FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :s))"
    return bool(session.connection().execute(text(alive), {"s": stalled_after_s}).scalar_one())


class Workers:
    """Runs jobs in this process: one Procrastinate worker a queue, each with its own concurrency.

    `concurrency` maps a queue to how many of its jobs run at once. Jobs run in threads. A worker that dies leaves its
    jobs to `recover`, which runs every ten seconds in the queue `upkeep`. `on_stop` is called once, before the
    last jobs are waited for.
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
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, max_size=8))
        self._stalled_after_s = stalled_after_s
        self._on_stop = on_stop
        self._asked_to_stop = False
        for job in jobs:
            self._register(job)
        recover = self._app.task(name="recover", queue="upkeep", queueing_lock="recover")(self._recover)
        self._app.periodic(cron=RECOVER_CRON)(recover)
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
        if job.cron is None:
            self._app.task(name=job.name, queue=job.queue)(job.run)
            return

        def run(timestamp: int | None = None) -> None:  # the planned second, when the schedule calls
            log.debug("scheduled", job=job.name, planned_at=timestamp)
            job.run()

        task = self._app.task(name=job.name, queue=job.queue, queueing_lock=job.name)(run)
        self._app.periodic(cron=job.cron)(task)

    async def _recover(self, timestamp: int) -> None:
        """Hands the jobs of dead workers to living ones."""
        log.debug("recovering", planned_at=timestamp)
        manager = self._app.job_manager
        for stalled in await manager.get_stalled_jobs(seconds_since_heartbeat=self._stalled_after_s):
            log.warning("job_recovered", job_id=stalled.id, job=stalled.task_name)
            await manager.retry_job(stalled)

    async def run(self) -> None:
        """Works until `stop`, then ends what is under way.

        A worker whose connection fails ends by itself, and its queue would be served no more: then all of them end,
        and `ConnectionError` is raised, so that the process is started anew.
        """
        async with self._app.open_async():
            runs = [asyncio.create_task(worker.run()) for worker in self._workers]  # type: ignore[no-untyped-call]
            await asyncio.wait(runs, return_when=asyncio.FIRST_COMPLETED)
            asked = self._asked_to_stop
            self.stop()
            await asyncio.gather(*runs)
        if not asked:
            raise ConnectionError("A queue was no longer served: the database was away.")

    def stop(self) -> None:
        """Takes no further job; call it in the event loop's thread."""
        if not self._asked_to_stop:
            self._asked_to_stop = True
            self._on_stop()
        for worker in self._workers:
            worker.stop()  # type: ignore[no-untyped-call]  # theirs
