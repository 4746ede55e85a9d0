"""The worker: runs the journey's steps, and leaves without losing any.

On SIGTERM or SIGINT it takes no further job and gives those under way `DRAIN_S` seconds; then it stops the speech
process, and what was under way is put back, to be begun again by the next worker.
"""

import asyncio
import ctypes
import os
import signal
from threading import Event

import structlog

from bubbles import pipeline
from bubbles.app import House
from bubbles.db.jobs import Workers

DRAIN_S = 5.0
PR_SET_PDEATHSIG = 1
log = structlog.get_logger()


def work(house: House) -> None:
    """Works until a signal says to leave."""
    asyncio.run(_work(house))


async def _work(house: House) -> None:
    leaving, loop = Event(), asyncio.get_running_loop()

    def drain() -> None:
        leaving.set()
        loop.call_later(DRAIN_S, house.transcriber.close)

    workers = Workers(
        house.database.libpq_url,
        pipeline.jobs(house, leaving),
        concurrency=pipeline.CONCURRENCY,
        stalled_after_s=house.settings.stalled_after_s,
        on_stop=drain,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, workers.stop)
    log.info("worker_started")
    await workers.run()
    log.info("worker_left")


def leave_with(parent_pid: int) -> None:
    """Has the kernel send SIGTERM when the process that started this one dies (Linux `prctl(2)`)."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent_pid:  # it died before we asked
        os.kill(os.getpid(), signal.SIGTERM)
