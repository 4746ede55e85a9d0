"""The worker: runs the journey's steps, and leaves without losing any.

On SIGTERM or SIGINT it takes no further job and gives those under way `DRAIN_S` seconds; then it stops the speech
process, and what was under way is put back, to be begun again by the next worker. What does not end even then is put
back too, and the process ends. It also ends when a job outlives its deadline, or its own event loop hangs: a thread
that hangs cannot be ended otherwise, and whoever started the worker starts another. So it does when the clock is set
back, which would stop its schedule.
"""

import asyncio
import contextlib
import ctypes
import faulthandler
import math
import os
import signal
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event, Thread, Timer
from uuid import UUID, uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bubbles import chores, data_folder, pipeline, scrape
from bubbles.app import LOOK_AGAIN_S, House
from bubbles.config import Settings
from bubbles.db import crew
from bubbles.db.jobs import HEARTBEAT_S, Workers
from bubbles.errors import Missing
from bubbles.shift import Shift, Task

DRAIN_S = 4.0
CLOSE_AGAIN_S = 0.5
LEAVE_MAX_S = 8.0
"""From being asked to leave to the end of the process, whatever hangs; containers are killed after ten seconds."""

LAST_WORDS_MAX_S = 1.5
WATCH_EVERY_S = 1.0
COUNT_MAX_S = 2.0
"""How long the database may take to hear of a hanging step before its worker leaves all the same."""

SET_BACK_MAX = timedelta(seconds=30)
"""A clock that is set back further would leave what runs by itself waiting for the time that it was planned for."""

PORTS_TRIED = 64
SPARE_THREADS = 4
PR_SET_PDEATHSIG = 1
NICENESS = 10
"""Of a worker and all that it starts: whoever listens, or sends a recording, goes first."""

log = structlog.get_logger()


def work(house: House, queues: Collection[str] = pipeline.QUEUES) -> None:
    """Works on these queues until a signal says to leave; raises `Refused` for a queue that there is not."""
    at_once = pipeline.at_once(house.settings, queues)
    data_folder.prepare(house.settings.data_dir)
    os.nice(NICENESS)
    with _scraped(house.settings), chores.tidying(house):
        asyncio.run(_work(house, at_once))


@contextlib.contextmanager
def _scraped(settings: Settings) -> Iterator[int | None]:
    """Tells this process's metrics at the first free port from the one that is set on; gives it, if there is one."""
    first, served = settings.worker_metrics_port, None
    with contextlib.ExitStack() as stack:
        for port in range(first, first + PORTS_TRIED if first else first):
            with contextlib.suppress(OSError):
                served = stack.enter_context(scrape.served(settings.host, port))
                break
        if first:
            log.info("metrics_served", port=served)
        yield served


async def _work(house: House, at_once: Mapping[str, int]) -> None:
    shift, loop = Shift(patience_s=math.inf), asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(sum(at_once.values()) + SPARE_THREADS, "job"))
    last_resort = Timer(LEAVE_MAX_S, lambda: _leave_anyway(house, workers, shift))
    last_resort.daemon = True

    def drain() -> None:
        shift.leaving.set()
        loop.call_later(DRAIN_S, stop_listening)
        if not workers.lost_database:
            end_soon()

    def end_soon() -> None:
        if last_resort.ident is None:
            last_resort.start()

    def leave() -> None:
        workers.stop()
        end_soon()

    def stop_listening() -> None:
        house.transcriber.close()
        loop.call_later(CLOSE_AGAIN_S, stop_listening)  # for a step that comes to it only now

    workers = Workers(
        house.database.libpq_url,
        pipeline.jobs(house, shift),
        concurrency=at_once,
        stalled_after_s=house.settings.stalled_after_s,
        on_stop=drain,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, leave)
    process_id = uuid4()
    await _until_it_takes_notes(house, shift.leaving, process_id, at_once)
    if not shift.leaving.is_set():
        try:
            async with (
                _beside(_watch(house, workers, shift)),
                _beside(_tell(house, workers, shift, process_id, at_once)),
                _beside(_outlast(house, workers, process_id, at_once, end_soon)),
            ):
                log.info("worker_started", queues=list(at_once))
                await workers.run()
        finally:
            await asyncio.to_thread(_no_more, house, process_id)
    await loop.shutdown_default_executor()  # while the last resort still waits behind us
    last_resort.cancel()
    log.info("worker_left")


async def _until_it_takes_notes(house: House, leaving: Event, process_id: UUID, at_once: Mapping[str, int]) -> None:
    """Returns once the database can be told that we are here: one without room answers, and yet nothing can be done."""
    while not leaving.is_set() and not await asyncio.to_thread(_sign_of_life, house, process_id, at_once):
        await asyncio.sleep(LOOK_AGAIN_S)


async def _outlast(
    house: House, workers: Workers, process_id: UUID, at_once: Mapping[str, int], end_soon: Callable[[], None]
) -> None:
    """Once the queue has lost its database, waits with what steps have to tell until it is there; then we end soon.

    A process that ended before would leave attempts behind of which nobody knows that no recording ended them.
    """
    while not workers.lost_database:
        await asyncio.sleep(LOOK_AGAIN_S)
    await _until_it_takes_notes(house, Event(), process_id, at_once)
    end_soon()


@contextlib.asynccontextmanager
async def _beside(coroutine: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Runs it during the block, and ends it after."""
    task = asyncio.create_task(coroutine)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _watch(house: House, workers: Workers, shift: Shift) -> None:
    """Leaves when a job outlives its deadline, or the clock is set back: the schedule of a new process begins anew.

    Has the process end should this loop itself come to a stop.
    """
    latest = house.now()
    try:
        while not shift.leaving.is_set():
            # In C, and in need of nothing that Python code could hold. Others have taken over by then.
            faulthandler.dump_traceback_later(house.settings.stalled_after_s, exit=True)
            await asyncio.sleep(WATCH_EVERY_S)
            if house.now() < latest - SET_BACK_MAX:
                log.error("clock_set_back")
                workers.stop()
            latest = max(latest, house.now())
            if overdue := shift.overdue():
                log.error("hangs", jobs=[task.name for task in overdue])
                try:
                    await _count(house, overdue)
                finally:
                    workers.stop()
    finally:
        faulthandler.cancel_dump_traceback_later()


async def _count(house: House, overdue: list[Task]) -> None:
    """Has the steps that hang count as tried, before whoever leaves puts them back; the database may hang as well."""
    steps = [task.step for task in overdue if task.step]
    with contextlib.suppress(TimeoutError, SQLAlchemyError, Missing):
        async with asyncio.timeout(COUNT_MAX_S):
            await asyncio.gather(*(asyncio.to_thread(pipeline.took_too_long, house, step) for step in steps))


async def _tell(house: House, workers: Workers, shift: Shift, process_id: UUID, at_once: Mapping[str, int]) -> None:
    """Says which queues are served here, again and again; then no more. Leaves when a database hangs over it."""
    alive_s = house.settings.stalled_after_s
    try:
        while not shift.leaving.is_set():
            async with asyncio.timeout(alive_s):
                await asyncio.to_thread(_sign_of_life, house, process_id, at_once)
            await asyncio.sleep(min(HEARTBEAT_S, alive_s / 4))
    except TimeoutError:
        log.error("database_hangs")  # our work was taken over, and we would wait for it for ever
        workers.stop()


def _sign_of_life(house: House, process_id: UUID, at_once: Mapping[str, int]) -> bool:
    """Whether the database has taken note of it."""
    with chores.database_may_be_away():
        with house.database.transaction() as session:
            crew.serve(session, process_id, at_once, alive_s=house.settings.stalled_after_s)
        return True
    return False


def _no_more(house: House, process_id: UUID) -> None:
    with chores.database_may_be_away(), house.database.transaction() as session:
        crew.leave(session, process_id)


def _leave_anyway(house: House, workers: Workers, shift: Shift) -> None:
    """Puts back what does not end, and ends the process; the database may be what hangs."""
    log.error("left_anyway", jobs=[task.name for task in shift.under_way()])
    last_words = Thread(target=_hand_over, args=(house, workers, shift), daemon=True)
    last_words.start()
    last_words.join(LAST_WORDS_MAX_S)
    os._exit(1)


def _hand_over(house: House, workers: Workers, shift: Shift) -> None:
    with chores.database_may_be_away():
        for task in shift.under_way():
            if task.step:
                pipeline.put_back(house, task.step)
        with house.database.transaction() as session:
            workers.abandon(session)


def leave_with(parent_pid: int) -> None:
    """Has the kernel send SIGTERM when the process that started this one dies (Linux `prctl(2)`)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)
