"""Jobs per second of the queue, and transcriptions per hour with one worker and with two.

python -m tests.bench.queue
"""

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import text

from bubbles import publish
from bubbles.app import House, open_house
from bubbles.config import Settings
from bubbles.db import jobs
from bubbles.db.embedded import running
from bubbles.db.jobs import Job, Workers
from bubbles.model.bubble import Bubble
from tests.bench.journey import speech_of
from tests.journey.service import wait_for, working

JOBS = 2_000
AT_ONCE = (1, 4)
SPEECH_S = 20
BUBBLES = 12


def added(house: House) -> float:
    """Seconds to add the jobs, each in a transaction of its own as a bubble's is."""
    began_s = time.perf_counter()
    for number in range(JOBS):
        with house.database.transaction() as session:
            jobs.enqueue(session, "nothing", queue="bench", lock=f"nothing {number}", turn_at=house.now())
    return time.perf_counter() - began_s


def run(house: House, at_once: int) -> float:
    """Seconds to run them, from the first to the last."""
    done, times = threading.Event(), []

    def nothing() -> None:
        times.append(time.perf_counter())
        if len(times) == JOBS:
            done.set()

    async def work() -> None:
        job = Job("nothing", "bench", nothing)
        workers = Workers(
            house.database.libpq_url, [job], concurrency={"bench": at_once}, stalled_after_s=30, on_stop=lambda: None
        )
        asyncio.get_running_loop().run_in_executor(None, done.wait).add_done_callback(lambda _: workers.stop())
        await workers.run()

    asyncio.run(work())
    return times[-1] - times[0]


def published(house: House, wav: Path, count: int) -> list[Bubble]:
    """Bubbles that wait for a worker."""
    return [publish.publish(house, wav, {"language": "en"}) for _ in range(count)]


def written_down(house: House) -> int:
    """How many transcriptions have ended."""
    with house.database.transaction() as session:
        ended = "SELECT count(*) FROM step WHERE name = 'transcribe' AND finished_at IS NOT NULL"
        return int(session.connection().execute(text(ended)).scalar_one())


@contextmanager
def house_of_its_own(folder: Path) -> Iterator[House]:
    """A house whose server other processes may use too."""
    with running(folder / "postgresql") as url:
        settings = Settings(data_dir=folder / "here", database_url=url, blob_url=(folder / "blobs").as_uri())
        with open_house(settings) as house:
            yield house


def hourly(folder: Path, wav: Path, workers: int) -> float:
    """Transcriptions an hour, once each worker has its model loaded and all recordings are playable."""
    with ExitStack() as stack:
        house = stack.enter_context(house_of_its_own(folder))
        common = {"DATABASE_URL": house.settings.database_url, "BLOB_URL": house.settings.blob_url}
        for number in range(workers):
            stack.enter_context(working(folder / f"worker-{number}", **common))
        published(house, wav, 2 * workers)
        wait_for(lambda: written_down(house) == 2 * workers, timeout_s=600)
        published(house, wav, BUBBLES)
        began, began_s = written_down(house), time.perf_counter()
        wait_for(lambda: written_down(house) == 2 * workers + BUBBLES, timeout_s=1800)
        return (2 * workers + BUBBLES - began) / (time.perf_counter() - began_s) * 3600


def main() -> None:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as name:
        with house_of_its_own(Path(name) / "queue") as house:
            print(f"Adding {JOBS} jobs, a transaction each: {JOBS / added(house):.0f}/s\n")
            print("| jobs at once | jobs a second |\n|---|---|")
            for at_once in AT_ONCE:
                if at_once != AT_ONCE[0]:
                    added(house)
                print(f"| {at_once} | {JOBS / run(house, at_once):.0f} |", flush=True)
        wav = Path(name) / "speech.wav"
        speech_of(SPEECH_S, wav)
        print(f"\n{BUBBLES} recordings of {SPEECH_S} s on {os.cpu_count()} cores, one at a time in each worker.\n")
        print("| workers | transcriptions an hour |\n|---|---|")
        for workers in (1, 2):
            print(f"| {workers} | {hourly(Path(name) / str(workers), wav, workers):.0f} |", flush=True)


if __name__ == "__main__":
    main()
