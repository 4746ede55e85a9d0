"""Workers that hang, freeze or die over a step: nothing is lost, nothing is held up, and it is not tried for ever."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from bubbles import pipeline, publish, retry
from bubbles.app import House
from bubbles.db import jobs, steps
from bubbles.model.bubble import Bubble, State
from bubbles.worker import NICENESS
from tests.faults.conftest import NAME, STALLED_AFTER_S, state_of, step_of
from tests.faults.proxy import Fault, FaultProxy
from tests.journey.service import Service, wait_for, working

ENDS_MAX_S = 120
DEEDS = {
    "hangs": "time.sleep(600)",
    "freezes": "ctypes.PyDLL(None).sleep(600)",  # in C, and holding Python's lock: no other thread runs
    "dies": "os.kill(os.getpid(), signal.SIGKILL)",
    "is late": "deaf.closed.wait(); deaf.transcribe()",
}
WILFUL = """
import ctypes, os, signal, sys, threading, time
from dataclasses import replace
from bubbles import app, cli, failures, pipeline, worker
from bubbles.errors import Missing
from bubbles.pipeline import STAGES

class Deaf:
    closed = threading.Event()

    def transcribe(self):
        self.closed.clear()
        self.closed.wait()
        raise Missing("model", "It was closed.")

    def close(self):
        self.closed.set()

deaf = Deaf()
app.speech = lambda settings: deaf

def misbehave(house, step):
    print("begun", flush=True)
    DEED

name = pipeline.StepName.NORMALISE
STAGES[name] = replace(STAGES[name], run=misbehave)
pipeline.BLOB_SLACK_S, failures.DEATH_BACKOFF_S = EXTRA, (0, 0, 0, 0)
worker.DRAIN_S, worker.LEAVE_MAX_S, worker.LAST_WORDS_MAX_S = 0.5, LEAVE, 60
sys.argv = ["bubbles", "work", "--queues", "normalise"]
cli.main()
"""


@contextmanager
def wilful(house: House, deed: str, **limits: float) -> Iterator[Service]:
    """A worker process whose first step misbehaves, once it has begun."""
    with worker_of(house, deed, **limits) as worker:
        worker.line("begun")
        yield worker


@contextmanager
def worker_of(
    house: House, deed: str, *, slack_s: float = 120, leave_max_s: float = 3, database_url: str = ""
) -> Iterator[Service]:
    """A worker process that would misbehave over a step."""
    program = WILFUL.replace("DEED", DEEDS[deed]).replace("EXTRA", str(slack_s)).replace("LEAVE,", f"{leave_max_s},")
    settings = {
        "DATABASE_URL": database_url or house.settings.database_url,
        "BLOB_URL": house.settings.blob_url,
        "STALLED_AFTER_S": str(STALLED_AFTER_S),
        "NORMALISE_DEADLINE_S": "10",
    }
    with working(house.settings.data_dir.parent / deed, command=("-c", program), **settings) as worker:
        yield worker


def recovered(house: House) -> list[str]:
    with house.database.transaction() as session:
        return jobs.recover(session, stalled_after_s=STALLED_AFTER_S)


def take(house: House) -> int | None:
    """The bubble whose step a healthy worker is handed next."""
    fetch = "SELECT ((procrastinate_fetch_job_v2(ARRAY['normalise'], NULL)).args ->> 'bubble_id')::bigint"
    with house.database.transaction() as session:
        found = session.connection().execute(text(fetch)).scalar_one()
    return None if found is None else int(found)


def test_a_worker_gives_way_to_who_answers(house: House) -> None:
    with worker_of(house, "hangs") as worker:
        assert niceness(worker.process.pid) == min(19, niceness(os.getpid()) + NICENESS)


def niceness(pid: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, pid)


def test_a_step_that_hangs_ends_its_worker_and_is_tried_again_elsewhere(house: House, bubble: Bubble) -> None:
    with wilful(house, "hangs", slack_s=-28) as worker:  # 10 s + 20 s of the probe's: two are left
        assert worker.process.wait(ENDS_MAX_S) == 1
    step = step_of(house, bubble)
    assert (step.error, step.tries, step.started_at) == ("TimeoutError", 1, None)
    assert recovered(house) == [NAME]
    wait_for(lambda: take(house) == bubble.id)  # in two seconds, as after any failure
    pipeline.run_step(house, NAME, bubble.id)
    assert state_of(house, bubble) is State.PLAYABLE


def test_a_worker_that_is_asked_to_leave_puts_back_what_hangs_and_ends(house: House, bubble: Bubble) -> None:
    with wilful(house, "hangs") as worker:
        assert worker.stop(signal.SIGTERM) == 1
    step = step_of(house, bubble)
    assert (step.error, step.tries, step.started_at) == (None, 0, None)
    assert recovered(house) == [NAME]  # at once: its worker has left the list of workers
    assert take(house) == bubble.id


def test_a_step_that_comes_to_the_model_when_it_is_closed_keeps_no_worker_that_leaves(
    house: House, bubble: Bubble
) -> None:
    with wilful(house, "is late", leave_max_s=60) as worker:
        assert worker.stop(signal.SIGTERM) == 0
    step = step_of(house, bubble)
    assert (step.error, step.tries, step.started_at) == (None, 0, None)


def test_a_worker_that_freezes_ends_by_itself_and_its_work_is_handed_over(house: House, bubble: Bubble) -> None:
    with wilful(house, "freezes") as worker:
        assert worker.process.wait(ENDS_MAX_S) == 1
    wait_for(lambda: recovered(house) == [NAME])
    assert take(house) == bubble.id
    pipeline.run_step(house, NAME, bubble.id)
    assert (state_of(house, bubble), step_of(house, bubble).deaths) == (State.PLAYABLE, 1)


def test_a_recording_that_kills_its_workers_is_given_up_holds_up_no_other_and_can_be_tried_again(
    house: House, bubble: Bubble, tmp_path: Path
) -> None:
    for _ in range(house.settings.attempts_max + 1):  # the first counts for nothing
        with wilful(house, "dies") as worker:
            assert worker.process.wait(ENDS_MAX_S) == -signal.SIGKILL
        wait_for(lambda: recovered(house) == [NAME])
    other = publish.publish(house, tmp_path / "tone.wav", {})
    for _ in range(2):
        pipeline.run_step(house, NAME, take(house) or 0)
    assert (state_of(house, bubble), state_of(house, other)) == (State.FAILED, State.PLAYABLE)
    with house.database.transaction() as session:
        (listed,) = steps.unfinished(session, gave_up=True, limit=10)
        assert (listed[0], listed[1].error) == (bubble.code, "died")
        retry.retry(session, bubble, now=house.now())
    pipeline.run_step(house, NAME, bubble.id)
    assert state_of(house, bubble) is State.PLAYABLE


def test_a_worker_whose_database_hangs_ends_by_itself(house: House) -> None:
    url = house.settings.database_url
    with FaultProxy.before(url) as proxy, worker_of(house, "hangs", database_url=proxy.through(url)) as worker:
        hangs = proxy.add(Fault.STALL, "INSERT INTO serving")
        assert worker.process.wait(ENDS_MAX_S) == 1
        assert hangs.fired == 1
        worker.line("database_hangs")
