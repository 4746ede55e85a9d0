"""Workers that hang, freeze or die over a step: nothing is lost, nothing is held up, and it is not tried for ever."""

import os
import signal
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from bubbles import accounts, moderation, pipeline, publish, retry, upkeep
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.blobs.store import BlobStore, Stored
from bubbles.config import Settings
from bubbles.db import bubbles, jobs, steps
from bubbles.db.engine import Database
from bubbles.model.bubble import Bubble, State
from bubbles.model.step import Step, StepName
from bubbles.model.times import utc_now
from bubbles.speech.transcriber import FakeTranscriber, Heard, Samples
from bubbles.worker import NICENESS
from tests.faults.proxy import Fault, FaultProxy
from tests.journey.service import Service, wait_for, working

NAME = StepName.NORMALISE
STALLED_AFTER_S = 5
ENDS_MAX_S = 120
DEEDS = {
    "hangs": "time.sleep(600)",
    "freezes": "ctypes.PyDLL(None).sleep(600)",  # in C, and holding Python's lock: no other thread runs
    "dies": "os.kill(os.getpid(), signal.SIGKILL)",
}
WILFUL = """
import ctypes, os, signal, sys, time
from dataclasses import replace
from bubbles import cli, pipeline, worker
from bubbles.pipeline import STAGES

def misbehave(house, step):
    print("begun", flush=True)
    DEED

name = pipeline.StepName.NORMALISE
STAGES[name] = replace(STAGES[name], run=misbehave)
pipeline.BLOB_SLACK_S = EXTRA
worker.DRAIN_S, worker.LEAVE_MAX_S = 0.5, 1.0
sys.argv = ["bubbles", "work", "--queues", "normalise"]
cli.main()
"""


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    settings = Settings(
        data_dir=tmp_path / "here",
        database_url=database.libpq_url,
        blob_url=(tmp_path / "blobs").as_uri(),
        stalled_after_s=STALLED_AFTER_S,
        attempts_max=2,
    )
    settings.data_dir.mkdir()
    with database.transaction() as session:
        session.connection().execute(text("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE"))
        accounts.first(session, now=utc_now())
    return House(settings, database, open_store(settings.blobs), transcriber=None)  # type: ignore[arg-type] # unasked


@pytest.fixture
def bubble(house: House, tmp_path: Path) -> Bubble:
    """One that waits for its renditions."""
    with wave.open(str(tmp_path / "tone.wav"), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", "none"))
        sound.writeframes((np.sin(np.arange(16_000) / 6) * 20_000).astype("<i2").tobytes())
    return publish.publish(house, tmp_path / "tone.wav", {})


@contextmanager
def wilful(house: House, deed: str, *, slack_s: float = 120) -> Iterator[Service]:
    """A worker process whose first step misbehaves, once it has begun."""
    with worker_of(house, deed, slack_s=slack_s) as worker:
        worker.line("begun")
        yield worker


@contextmanager
def worker_of(house: House, deed: str, *, slack_s: float = 120, database_url: str = "") -> Iterator[Service]:
    """A worker process that would misbehave over a step."""
    program = WILFUL.replace("DEED", DEEDS[deed]).replace("EXTRA", str(slack_s))
    settings = {
        "DATABASE_URL": database_url or house.settings.database_url,
        "BLOB_URL": house.settings.blob_url,
        "STALLED_AFTER_S": str(STALLED_AFTER_S),
        "NORMALISE_DEADLINE_S": "10",
    }
    with working(house.settings.data_dir.parent / deed, command=("-c", program), **settings) as worker:
        yield worker


def step_of(house: House, bubble: Bubble) -> Step:
    with house.database.transaction() as session:
        step = steps.of(session, bubble.id, NAME)
    assert step
    return step


def state_of(house: House, bubble: Bubble) -> State:
    with house.database.transaction() as session:
        return bubbles.get(session, bubble.id).state


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


def test_a_worker_that_freezes_ends_by_itself_and_its_work_is_handed_over(house: House, bubble: Bubble) -> None:
    with wilful(house, "freezes") as worker:
        assert worker.process.wait(ENDS_MAX_S) == 1
    wait_for(lambda: recovered(house) == [NAME])
    assert take(house) == bubble.id
    pipeline.run_step(house, NAME, bubble.id)
    assert (state_of(house, bubble), step_of(house, bubble).tries) == (State.PLAYABLE, 2)


def test_a_recording_that_kills_its_workers_is_given_up_holds_up_no_other_and_can_be_tried_again(
    house: House, bubble: Bubble, tmp_path: Path
) -> None:
    for _ in range(house.settings.attempts_max):
        with wilful(house, "dies") as worker:
            assert worker.process.wait(ENDS_MAX_S) == -signal.SIGKILL
        wait_for(lambda: recovered(house) == [NAME])
    other = publish.publish(house, tmp_path / "tone.wav", {})
    for _ in range(2):
        pipeline.run_step(house, NAME, take(house) or 0)
    assert (state_of(house, bubble), state_of(house, other)) == (State.FAILED, State.PLAYABLE)
    with house.database.transaction() as session:
        (listed,) = steps.unfinished(session, gave_up=True, limit=10)
        assert (listed[0], listed[1].error) == (bubble.code, "died_too_often")
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


class Late:
    """A store that is asked to put after the deed was done: what is late is the attempt that asks."""

    def __init__(self, store: BlobStore, deed) -> None:
        self._store = store
        self._deed = deed

    def __getattr__(self, name: str):
        return getattr(self._store, name)

    def put(self, key: str, source: Path, *, sha256: str, content_type: str) -> Stored:
        deed, self._deed = self._deed, lambda: None
        deed()
        return self._store.put(key, source, sha256=sha256, content_type=content_type)


def sound_of(house: House, bubble: Bubble) -> set[str]:
    return {key for key in house.blobs.keys("renditions/") if bubble.code in key}


def test_what_an_overtaken_attempt_stores_late_takes_nothing_from_the_one_that_came_after(
    house: House, bubble: Bubble
) -> None:
    def meanwhile() -> None:
        pipeline.run_step(house, NAME, bubble.id)

    pipeline.run_step(replace(house, blobs=Late(house.blobs, meanwhile)), NAME, bubble.id)
    upkeep.discard(house.database, house.blobs, now=house.now() + upkeep.LEFTOVER_AGE)
    with house.database.transaction() as session:
        kept = {made.blob_key for made in bubbles.renditions(session, bubble.id)}
    assert len(kept) == 2
    assert sound_of(house, bubble) == kept
    assert step_of(house, bubble).attempt == 2


def test_a_clock_that_is_hours_ahead_has_nothing_deleted_that_is_being_stored(house: House, bubble: Bubble) -> None:
    def elsewhere() -> None:
        upkeep.discard(house.database, house.blobs, now=house.now() + timedelta(hours=3))

    pipeline.run_step(replace(house, blobs=Late(house.blobs, elsewhere)), NAME, bubble.id)
    assert state_of(house, bubble) is State.PLAYABLE
    assert len(sound_of(house, bubble)) == 2


class Slow:
    """A store that begins to delete when the deed is done, as when its worker froze or the request lay somewhere."""

    def __init__(self, store: BlobStore, deed) -> None:
        self._store = store
        self._deed = deed

    def delete(self, key: str) -> None:
        deed, self._deed = self._deed, lambda: None
        deed()
        self._store.delete(key)


def test_a_deletion_that_comes_late_takes_nothing_from_the_attempt_that_came_after(
    house: House, bubble: Bubble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile() -> None:
        upkeep.discard(house.database, house.blobs, now=house.now() + upkeep.LEFTOVER_AGE)
        pipeline.run_step(house, NAME, bubble.id)

    with monkeypatch.context() as broken:
        broken.setattr("bubbles.normalise._publish", lambda *_, **__: 1 / 0)
        pipeline.run_step(house, NAME, bubble.id)
    assert len(sound_of(house, bubble)) == 2
    upkeep.discard(house.database, Slow(house.blobs, meanwhile), now=house.now() + upkeep.LEFTOVER_AGE)  # type: ignore[arg-type]
    with house.database.transaction() as session:
        kept = {made.blob_key for made in bubbles.renditions(session, bubble.id)}
    assert len(kept) == 2
    assert sound_of(house, bubble) == kept


def test_what_an_overtaken_attempt_stores_after_a_withdrawal_is_deleted(house: House, bubble: Bubble) -> None:
    def meanwhile() -> None:
        pipeline.run_step(house, NAME, bubble.id)
        with house.database.transaction() as session:
            moderation.withdraw(session, bubble, by="operator", reason="", now=house.now())
        upkeep.discard(house.database, house.blobs, now=house.now())
        assert sound_of(house, bubble) == set()

    pipeline.run_step(replace(house, blobs=Late(house.blobs, meanwhile)), NAME, bubble.id)
    upkeep.discard(house.database, house.blobs, now=house.now())
    assert sound_of(house, bubble) == set()


class Dreamer(FakeTranscriber):
    """Hears its words, after the deed was done."""

    def __init__(self, words: str, deed) -> None:
        super().__init__(words)
        self._deed = deed

    def transcribe(self, samples: Samples, *, language: str | None) -> Heard:
        self._deed()
        return super().transcribe(samples, language=language)


def test_what_an_overtaken_attempt_has_heard_does_not_replace_what_the_one_after_it_wrote(
    house: House, bubble: Bubble
) -> None:
    def meanwhile() -> None:
        awake = replace(house, transcriber=FakeTranscriber("the words that stay"))
        pipeline.run_step(awake, StepName.TRANSCRIBE, bubble.id)

    pipeline.run_step(house, NAME, bubble.id)
    late = replace(house, transcriber=Dreamer("the words of a zombie", meanwhile))
    pipeline.run_step(late, StepName.TRANSCRIBE, bubble.id)
    with house.database.transaction() as session:
        said = bubbles.transcript(session, bubble.id)
    assert said
    assert said.text == "the words that stay"
    assert state_of(house, bubble) is State.READY
