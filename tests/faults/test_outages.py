"""Real workers whose speech process or database is taken away: words come after all, and each line is JSON."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, text
from sqlmodel import col, select

from bubbles import ids, pipeline
from bubbles.app import House
from bubbles.db import bubbles, steps
from bubbles.model.bubble import Bubble, State
from bubbles.model.step import Step, StepName
from tests.faults.conftest import STALLED_AFTER_S, state_of
from tests.faults.proxy import Fault, FaultProxy
from tests.journey.service import Service, wait_for, working

WORDS = "taken down after all"
CHILD = """
import os, sys, time
from pathlib import Path
from bubbles.speech import child
from bubbles.speech.transcriber import FakeTranscriber

child._die_with(int(sys.argv[1]))
requests, answers = child._pipes()
folder = Path(sys.argv[-1])

class Slow:
    def transcribe(self, samples, *, language):
        (folder / "hears.new").write_text(str(os.getpid()))
        (folder / "hears.new").rename(folder / "hears")
        while not (folder / "go_on").exists():
            time.sleep(0.05)
        return FakeTranscriber("WORDS").transcribe(samples, language=language)

child.serve(requests, answers, Slow)
""".replace("WORDS", WORDS)
WORKER = f"""
import sys
from pathlib import Path
from bubbles import app, cli, failures
from bubbles.speech.process import SpeechProcess

folder = Path(sys.argv[1])
failures.DEATH_BACKOFF_S = (0, 0, 0, 0)
command = [sys.executable, "-c", {CHILD!r}]
app.speech = lambda settings: SpeechProcess(str(folder), folder, memory_mib=512, deadline_s=300, command=command)
sys.argv[:] = ["bubbles", "work"]
cli.main()
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a model, by which a test and a speech process talk."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.bin").touch()
    return folder


@contextmanager
def worker_of(house: House, model: Path, *, database_url: str = "", **settings: str) -> Iterator[Service]:
    """A worker of all queues, whose speech process waits until it is told to go on."""
    given = {
        "DATABASE_URL": database_url or house.settings.database_url,
        "BLOB_URL": house.settings.blob_url,
        "STALLED_AFTER_S": str(STALLED_AFTER_S),
    }
    with working(model.parent / "worker", command=("-c", WORKER, str(model)), **given, **settings) as worker:
        yield worker


def playable(house: House, bubble: Bubble) -> Bubble:
    pipeline.run_step(house, StepName.NORMALISE, bubble.id)
    assert state_of(house, bubble) is State.PLAYABLE
    return bubble


def listener(model: Path, *, but: set[int]) -> int:
    """The id of the next speech process that hears the recording."""
    hears = model / "hears"
    return int(wait_for(lambda: hears.exists() and int(hears.read_text()) not in but and hears.read_text()))


def words_of(house: House, bubble: Bubble) -> str:
    with house.database.transaction() as session:
        said = bubbles.transcript(session, bubble.id)
    return said.text if said else ""


def words_step(house: House, bubble: Bubble) -> Step:
    with house.database.transaction() as session:
        step = steps.of(session, bubble.id, StepName.TRANSCRIBE)
    assert step
    return step


def lines_of(worker: Service) -> list[dict[str, Any]]:
    """All that a worker has said, each line of which is JSON, and none of which repeats a statement or its values."""
    for word in ("Traceback", "SELECT ", "INSERT ", "UPDATE ", "DELETE "):
        assert not [line for line in worker.said if word in line], word
    return [json.loads(line) for line in worker.said]


def count(worker: Service, event: str) -> int:
    return sum(line["event"] == event for line in lines_of(worker))


def test_words_come_though_their_speech_process_is_killed_four_times_in_a_row(
    house: House, bubble: Bubble, model: Path
) -> None:
    playable(house, bubble)
    killed: set[int] = set()
    with worker_of(house, model, ATTEMPTS_MAX="4") as worker:
        for _ in range(4):
            pid = listener(model, but=killed)
            killed.add(pid)
            os.kill(pid, signal.SIGKILL)
        listener(model, but=killed)
        step = words_step(house, bubble)
        assert (step.tries, step.deaths, step.gave_up_at) == (0, 4, None)
        (model / "go_on").touch()
        wait_for(lambda: words_of(house, bubble) == WORDS)
        assert count(worker, "died") == 4


def test_words_come_though_the_database_goes_away_in_the_middle_and_stays_away(
    house: House, bubble: Bubble, model: Path
) -> None:
    playable(house, bubble)
    url = house.settings.database_url
    with FaultProxy.before(url) as proxy, worker_of(house, model, database_url=proxy.through(url)) as worker:
        heard = listener(model, but=set())
        proxy.add(Fault.REFUSE)
        (model / "go_on").touch()
        wait_for(lambda: count(worker, "missing"))
        wait_for(lambda: not Path(f"/proc/{heard}").exists())  # the worker has given up its queue, and leaves
        assert worker.process.poll() is None  # but not without telling how its step ended
        proxy.heal()
        assert worker.process.wait(120) == 1
        step = words_step(house, bubble)
        assert (step.tries, step.deaths, step.started_at, step.gave_up_at) == (0, 0, None, None)
        assert count(worker, "missing") == 1
    with worker_of(house, model):
        wait_for(lambda: words_of(house, bubble) == WORDS)


MANY = 50


def wait_for_many(house: House, waiting_for: str) -> None:
    """Returns once so many steps wait for the part."""
    waiting = select(func.count()).select_from(Step).where(col(Step.waiting_for) == waiting_for)

    def do_wait() -> bool:
        with house.database.transaction() as session:
            return session.exec(waiting).one() >= MANY

    wait_for(do_wait)


def test_fifty_steps_that_wait_for_the_store_say_so_once(
    house: House, bubble: Bubble, model: Path, tmp_path: Path
) -> None:
    with worker_of(house, model, LOG_LEVEL="info") as worker:
        wait_for(lambda: state_of(house, bubble) is State.PLAYABLE)
        (tmp_path / "blobs").rename(tmp_path / "unmounted")
        with house.database.transaction() as session:
            like = bubble.model_dump(exclude={"id", "code", "listed"})
            for _ in range(MANY):
                other = Bubble(**like | {"code": ids.new_code()})
                session.add(other)
                session.flush()
                steps.enqueue(session, other.id, StepName.NORMALISE, house.now())
        wait_for_many(house, "store")
        lines = lines_of(worker)
    assert [line["event"] for line in lines if line.get("part") == "store"] == ["missing"]
    assert len(lines) < 10


NO_ROOM = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
END $$;
"""
FILLING = ("serving", "step", "chore", "procrastinate_workers", "procrastinate_jobs")


@contextmanager
def no_room(house: House, *tables: str) -> Iterator[None]:
    """Meanwhile the database's disk is full: it answers, and takes nothing into these tables, of all by default."""
    refusing = "CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON {} EXECUTE FUNCTION no_room()"
    with house.database.transaction() as session:
        session.connection().execute(text(NO_ROOM + ";".join(refusing.format(table) for table in tables or FILLING)))
    yield
    with house.database.transaction() as session:
        session.connection().execute(text("DROP FUNCTION no_room() CASCADE"))


def test_a_worker_whose_database_has_no_room_ends_in_a_sentence_and_its_successor_waits(
    house: House, model: Path
) -> None:
    with ExitStack() as stack:
        worker = stack.enter_context(worker_of(house, model))
        with no_room(house):
            assert worker.process.wait(120) == 1
            worker.line("ended")
            assert count(worker, "ended") == 1
            assert count(worker, "missing") <= 1
            waiting = stack.enter_context(waiting_worker(house, model, house.settings.database_url))
            wait_for(lambda: count(waiting, "missing"))
            assert [line["event"] for line in lines_of(waiting)] == ["missing"]
        waiting.line("worker_started")
        assert waiting.stop(signal.SIGTERM) == 0
        lines_of(waiting)


def test_a_step_that_ends_while_the_database_has_no_room_says_so_once_there_is(
    house: House, bubble: Bubble, model: Path
) -> None:
    playable(house, bubble)
    with worker_of(house, model) as worker:
        listener(model, but=set())
        with no_room(house, "step"):  # of all, the worker would leave it to another
            (model / "go_on").touch()
            wait_for(lambda: count(worker, "missing"))
        wait_for(lambda: words_step(house, bubble).started_at is None)
        assert (words_step(house, bubble).tries, words_step(house, bubble).deaths) == (0, 0)
        assert count(worker, "missing") == 1


def test_a_worker_that_starts_while_the_database_is_away_waits_for_it_and_says_so_once(
    house: House, model: Path
) -> None:
    url = house.settings.database_url
    with FaultProxy.before(url) as proxy:
        rule = proxy.add(Fault.REFUSE)
        with waiting_worker(house, model, proxy.through(url)) as worker:
            wait_for(lambda: rule.fired > 3)
            worker.line("missing")
            assert [line["event"] for line in lines_of(worker)] == ["missing"]
            proxy.heal()
            worker.line("worker_started")
            assert worker.stop(signal.SIGTERM) == 0


def test_a_worker_that_waits_for_its_database_leaves_when_it_is_asked(house: House, model: Path) -> None:
    url = house.settings.database_url
    with FaultProxy.before(url) as proxy:
        proxy.add(Fault.REFUSE)
        with waiting_worker(house, model, proxy.through(url)) as worker:
            worker.line("missing")
            assert worker.stop(signal.SIGTERM) == 130
            assert [line["event"] for line in lines_of(worker)] == ["missing"]


def test_a_worker_that_no_server_would_ever_let_in_says_so_and_ends(house: House, model: Path) -> None:
    wrong = house.settings.database_url.replace("/test_", "/no_such_")
    with waiting_worker(house, model, wrong) as worker:
        assert worker.process.wait(120) == 1
        worker.line("ended")
        assert [line["event"] for line in lines_of(worker)] == ["ended"]


@contextmanager
def waiting_worker(house: House, model: Path, database_url: str) -> Iterator[Service]:
    """A worker that cannot begin yet."""
    settings = {"DATABASE_URL": database_url, "BLOB_URL": house.settings.blob_url}
    command = ("-c", WORKER, str(model))
    with working(model.parent / "waiting", command=command, starts=False, **settings) as worker:
        yield worker
