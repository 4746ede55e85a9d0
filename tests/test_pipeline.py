"""What a failure means: waited for, tried again, given up; and that a zombie's result is refused."""

import asyncio
import errno
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from bubbles import ids, pipeline, publish
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db import bubbles, steps
from bubbles.db.jobs import Workers
from bubbles.errors import Code, Missing, Refused
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble, State
from bubbles.model.channel import Channel
from bubbles.model.step import Step, StepName
from bubbles.pipeline import Stage, run_step
from bubbles.shift import Shift

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = StepName.NORMALISE


@dataclass
class Script:
    """A step that does what the test says, and remembers what it was given."""

    does: list[object] = field(default_factory=list)
    seen: list[Step] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)

    def run(self, house: House, step: Step) -> None:
        self.seen.append(step)
        outcome = self.does.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        if callable(outcome):
            outcome(house, step)
        with house.database.transaction() as session:
            steps.finish(session, step, house.now())

    def on_give_up(self, session, bubble: Bubble, now: datetime, error: str) -> None:
        self.gave_up.append(error)


@pytest.fixture
def house(database, tmp_path) -> House:
    settings = Settings(data_dir=tmp_path, attempts_max=3)
    return House(settings, database, open_store((tmp_path / "blobs").as_uri()), None, now=lambda: NOON)


@pytest.fixture
def script(monkeypatch) -> Script:
    script = Script()
    monkeypatch.setitem(pipeline.STAGES, NAME, Stage(script.run, on_give_up=script.on_give_up))
    return script


@pytest.fixture
def bubble_id(house) -> int:
    with house.database.transaction() as session:
        handle = ids.new_code().lower()
        account = Account(handle=handle, created_at=NOON)
        channel = Channel(handle=handle, title=handle, created_at=NOON)
        session.add_all([account, channel])
        session.flush()
        bubble = Bubble(
            code=ids.new_code(),
            channel_id=channel.id,
            author_id=account.id,
            duration_s=1.0,
            recording_sha256="0",
            recording_bytes=1,
            recorded_at=NOON,
            created_at=NOON,
        )
        session.add(bubble)
        session.flush()
        steps.enqueue(session, bubble.id, NAME, NOON)
        return bubble.id


def step_of(house: House, bubble_id: int) -> Step:
    with house.database.transaction() as session:
        return steps.of(session, bubble_id, NAME)


def due(house: House, bubble_id: int) -> list[datetime]:
    """When the jobs that wait for this bubble may run, NOON for at once: NOON is when they were added."""
    query = """
        SELECT coalesce(scheduled_at - event.at, '0')
        FROM procrastinate_jobs job JOIN procrastinate_events event ON job_id = job.id
        WHERE status = 'todo' AND event.type = 'deferred' AND (args->>'bubble_id')::bigint = :id ORDER BY job.id
    """
    with house.database.transaction() as session:
        return [NOON + wait for wait in session.connection().execute(text(query), {"id": bubble_id}).scalars()]


def test_a_step_that_ends_well_is_finished_and_not_run_again(house, script, bubble_id):
    script.does = [None]
    run_step(house, NAME, bubble_id)
    run_step(house, NAME, bubble_id)
    step = step_of(house, bubble_id)
    assert (step.finished_at, step.attempt, len(script.seen)) == (NOON, 1, 1)


def test_a_missing_part_is_waited_for_and_uses_up_no_try(house, script, bubble_id):
    script.does = [Missing("model", "fetch it")] * 10
    for _ in range(10):
        run_step(house, NAME, bubble_id)
    step = step_of(house, bubble_id)
    assert (step.waiting_for, step.tries, step.attempt, step.gave_up_at) == ("model", 0, 10, None)
    assert due(house, bubble_id)[-1] == NOON + pipeline.WAIT_FOR_PART


def test_a_failure_is_tried_again_later_each_time_then_given_up(house, script, bubble_id):
    script.does = [OSError("disk")] * 3
    waits = []
    for _ in range(3):
        run_step(house, NAME, bubble_id)
        waits.append(due(house, bubble_id)[-1] - NOON)
    step = step_of(house, bubble_id)
    assert waits[:2] == [timedelta(seconds=2), timedelta(seconds=10)]
    assert (step.gave_up_at, step.error, script.gave_up) == (NOON, "OSError", ["OSError"])
    run_step(house, NAME, bubble_id)
    assert len(script.seen) == 3


def test_a_refusal_is_tried_again_since_the_same_bytes_were_accepted(house, script, bubble_id):
    script.does = [Refused(Code.NOT_AUDIO, "the decoder was killed"), None]
    run_step(house, NAME, bubble_id)
    run_step(house, NAME, bubble_id)
    assert (script.gave_up, step_of(house, bubble_id).finished_at) == ([], NOON)


def test_a_refusal_again_and_again_refuses_the_bubble(house, monkeypatch, bubble_id):
    def refuse(house: House, step: Step) -> None:
        raise Refused(Code.NOT_AUDIO, "no sound")

    monkeypatch.setitem(pipeline.STAGES, NAME, Stage(refuse, on_give_up=pipeline.STAGES[NAME].on_give_up))
    for _ in range(house.settings.attempts_max):
        run_step(house, NAME, bubble_id)
    with house.database.transaction() as session:
        bubble = bubbles.get(session, bubble_id)
    assert (bubble.state, bubble.refused_reason) == (State.REFUSED, "not_audio")


def test_a_full_disk_is_waited_for(house, script, bubble_id):
    script.does = [OSError(errno.ENOSPC, "No space left on device")]
    run_step(house, NAME, bubble_id)
    assert (step_of(house, bubble_id).waiting_for, step_of(house, bubble_id).tries) == ("disk", 0)


def test_making_a_step_due_again_fences_the_attempt_that_began_meanwhile(house, bubble_id):
    with house.database.transaction() as edit:
        steps.of(edit, bubble_id, NAME)  # read before the worker begins
        with house.database.transaction() as session:
            running = steps.begin(session, bubble_id, NAME, NOON)
        steps.enqueue(edit, bubble_id, NAME, NOON)
    with pytest.raises(steps.Overtaken), house.database.transaction() as session:
        steps.finish(session, running, NOON)


def test_an_overtaken_attempt_may_not_store_anything(house, bubble_id):
    with house.database.transaction() as session:
        old = steps.begin(session, bubble_id, NAME, NOON)
    with house.database.transaction() as session:
        steps.begin(session, bubble_id, NAME, NOON)
    with pytest.raises(steps.Overtaken), house.database.transaction() as session:
        steps.require_latest(session, old)


def test_waiting_for_a_bubble_says_what_it_waits_for(house, script, bubble_id):
    script.does = [Missing("store", "It is away.")]
    with pytest.raises(Missing) as missing:
        publish.wait(house, bubble_id)
    assert (missing.value.part, len(script.seen)) == ("store", 1)


def test_when_one_queue_is_no_longer_served_all_workers_leave(database, monkeypatch):
    left = []
    workers = Workers(
        database.libpq_url, [], concurrency={"a": 1, "b": 1}, stalled_after_s=30, on_stop=lambda: left.append(True)
    )

    async def broken() -> None:
        """As Procrastinate's: its listener fails, and it returns as if it had been asked to."""

    monkeypatch.setattr(workers._workers[0], "run", broken)
    with pytest.raises(ConnectionError):
        asyncio.run(asyncio.wait_for(workers.run(), timeout=30))
    assert left == [True]


def test_a_poison_recording_that_kills_its_worker_is_given_up(house, script, bubble_id):
    for _ in range(house.settings.attempts_max):
        with house.database.transaction() as session:  # a worker that begins and dies
            steps.begin(session, bubble_id, NAME, NOON)
    run_step(house, NAME, bubble_id)
    assert (script.seen, script.gave_up) == ([], ["died_too_often"])


def test_a_worker_that_leaves_puts_its_step_back_uncounted(house, script, bubble_id):
    shift = Shift()
    shift.leaving.set()
    script.does = [RuntimeError("the speech process was stopped")]
    run_step(house, NAME, bubble_id, shift=shift)
    step = step_of(house, bubble_id)
    assert (step.tries, step.started_at, step.error) == (0, None, None)
    assert due(house, bubble_id)[-1] == NOON


def test_a_zombies_result_is_refused(house, script, bubble_id):
    def meanwhile(house: House, step: Step) -> None:
        with house.database.transaction() as session:
            steps.begin(session, bubble_id, NAME, NOON)

    script.does = [meanwhile]
    run_step(house, NAME, bubble_id)
    step = step_of(house, bubble_id)
    assert (step.finished_at, step.attempt) == (None, 2)


def test_memory_that_lacks_again_and_again_is_given_up(house, script, bubble_id):
    script.does = [Missing("memory", "more")] * 3
    for _ in range(3):
        run_step(house, NAME, bubble_id)
    assert script.gave_up == ["no_memory"]


def test_a_step_that_nobody_will_run_is_enqueued_again(house, script, bubble_id):
    with house.database.transaction() as session:
        session.connection().execute(text("DELETE FROM procrastinate_jobs"))
        assert steps.revive(session, overdue_after=timedelta(minutes=20)) >= 1
        assert steps.revive(session, overdue_after=timedelta(minutes=20)) == 0
    assert due(house, bubble_id) == [NOON]


def test_a_step_that_began_too_long_ago_is_enqueued_again(house, bubble_id):
    with house.database.transaction() as session:
        mine = "UPDATE procrastinate_jobs SET status = 'doing' WHERE (args->>'bubble_id')::bigint = :id"
        session.connection().execute(text(mine), {"id": bubble_id})
        hung = steps.begin(session, bubble_id, NAME, NOON)
    with house.database.transaction() as session:
        assert steps.revive(session, overdue_after=timedelta(minutes=20)) == 0
        ages = "UPDATE procrastinate_events SET at = at - interval '21 minutes' WHERE type = 'started'"
        session.connection().execute(text(ages))
        assert steps.revive(session, overdue_after=timedelta(minutes=20)) == 1
    assert due(house, bubble_id) == [NOON]
    with house.database.transaction() as session:  # and nothing holds it up, though the worker's heart may beat still
        lock = {"lock": steps.lock_of(hung)}
        left = text("SELECT status FROM procrastinate_jobs WHERE lock = :lock")
        assert list(session.connection().execute(left, lock).scalars()) == ["todo"]
    with pytest.raises(steps.Overtaken), house.database.transaction() as session:
        steps.finish(session, hung, NOON)


def test_a_rolled_back_transaction_leaves_no_job(house, bubble_id):
    before = len(due(house, bubble_id))
    with pytest.raises(ZeroDivisionError), house.database.transaction() as session:
        steps.enqueue(session, bubble_id, StepName.TRANSCRIBE, NOON)
        raise ZeroDivisionError
    assert len(due(house, bubble_id)) == before


def test_an_attempt_that_was_put_off_may_write_no_more(house, bubble_id):
    with house.database.transaction() as session:
        hung = steps.begin(session, bubble_id, NAME, NOON)
    pipeline.took_too_long(house, hung)
    with pytest.raises(steps.Overtaken), house.database.transaction() as session:
        steps.finish(session, hung, NOON)
    step = step_of(house, bubble_id)
    assert (step.error, step.tries, step.started_at) == ("TimeoutError", 1, None)


def test_an_attempt_that_is_put_back_is_not_counted(house, bubble_id):
    with house.database.transaction() as session:
        begun = steps.begin(session, bubble_id, NAME, NOON)
    pipeline.put_back(house, begun)
    assert (step_of(house, bubble_id).tries, due(house, bubble_id)) == (0, [NOON])


def test_only_the_last_job_of_a_step_waits(house, script, bubble_id):
    script.does = [OSError("disk")]
    run_step(house, NAME, bubble_id)
    with house.database.transaction() as session:
        steps.enqueue(session, bubble_id, NAME, NOON)
    assert due(house, bubble_id) == [NOON]


def test_a_step_counts_as_under_way_while_it_runs(house, script, bubble_id):
    shift = Shift()
    script.does = [lambda house, step: seen.extend(shift.under_way())]
    seen = []
    run_step(house, NAME, bubble_id, shift=shift)
    assert [(task.name, task.step.bubble_id) for task in seen] == [(NAME, bubble_id)]
    assert shift.under_way() == []


def test_what_runs_past_its_deadline_is_overdue():
    shift = Shift()
    with shift.task("in time", deadline_s=60), shift.task("late", deadline_s=-1):
        assert [task.name for task in shift.overdue()] == ["late"]


@pytest.mark.parametrize(("queues", "told"), [(["transcribe", "sing"], "no queue sing"), ([], "No queue")])
def test_a_queue_that_there_is_not_is_refused(house, queues, told):
    with pytest.raises(Refused, match=told):
        pipeline.at_once(house.settings, queues)


def test_each_queue_runs_as_many_at_once_as_is_set(house):
    settings = house.settings.model_copy(update={"transcribe_at_once": 3})
    assert pipeline.at_once(settings) == {"normalise": 1, "transcribe": 3, "upkeep": 1, "rescue": 1, "sweeps": 1}
    assert pipeline.at_once(settings, ["transcribe"]) == {"transcribe": 3}


def test_a_step_that_a_worker_died_over_runs_alone(house, script, bubble_id, monkeypatch):
    asked = []
    monkeypatch.setattr(Shift, "room", lambda shift, *, alone: (asked.append(alone), nullcontext())[1])
    script.does = [OSError("disk"), None]
    run_step(house, NAME, bubble_id)
    with house.database.transaction() as session:
        steps.begin(session, bubble_id, NAME, NOON)  # by a worker that dies
    run_step(house, NAME, bubble_id)
    run_step(house, NAME, bubble_id)
    assert asked == [False, True, False]


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_clock_that_is_off_neither_hurries_nor_delays_what_is_tried_again(house, script, bubble_id, off):
    house = replace(house, now=lambda: datetime.now(UTC) + off)
    script.does = [Missing("store", "It is away.")]
    run_step(house, NAME, bubble_id)
    assert due(house, bubble_id) == [NOON + pipeline.WAIT_FOR_PART]
    with house.database.transaction() as session:
        assert steps.begin(session, bubble_id, NAME, house.now())
        session.flush()
        assert steps.revive(session, overdue_after=timedelta(minutes=20)) == 0


def _begun_elsewhere(session, step):
    steps.begin(session, step.bubble_id, NAME, NOON)


def _put_off(session, step):
    steps.put_off(session, step, wait=timedelta(0), waiting_for=None, error=None, counted=True)


def _given_up(session, step):
    steps.give_up(session, step, now=NOON, error="late")


def _finished(session, step):
    steps.finish(session, step, NOON)


def _asked_again(session, step):
    steps.enqueue(session, step.bubble_id, NAME, NOON)


def _revived(session, step):
    session.connection().execute(text("DELETE FROM procrastinate_jobs"))
    steps.revive(session, overdue_after=timedelta(minutes=20))


@pytest.mark.parametrize("write", [steps.require_latest, _put_off, _given_up, _finished])
@pytest.mark.parametrize("meanwhile", [_begun_elsewhere, _put_off, _given_up, _finished, _asked_again, _revived])
def test_every_write_of_a_zombie_is_refused_whatever_became_of_its_step(house, bubble_id, write, meanwhile):
    with house.database.transaction() as session:
        zombie = steps.begin(session, bubble_id, NAME, NOON)
        session.flush()
        session.expunge(zombie)
    with house.database.transaction() as session:
        meanwhile(session, zombie)
    with house.database.transaction() as session:
        before = session.get_one(Step, (bubble_id, NAME)).model_dump()
    with pytest.raises(steps.Overtaken), house.database.transaction() as session:
        write(session, zombie)
    assert step_of(house, bubble_id).model_dump() == before


def test_a_queue_that_fails_waits_for_what_the_others_have_under_way(database, monkeypatch):
    workers = Workers(database.libpq_url, [], concurrency={"a": 1, "b": 1}, stalled_after_s=30, on_stop=lambda: None)
    ended = []

    async def broken() -> None:
        raise ConnectionError("broken")

    async def draining() -> None:
        await workers._workers[1]._stop_event.wait()
        await asyncio.sleep(0.1)
        ended.append(True)

    for worker, run in zip(workers._workers, (broken, draining), strict=True):
        monkeypatch.setattr(worker, "run", run)
    with pytest.raises(ConnectionError, match="broken"):
        asyncio.run(asyncio.wait_for(workers.run(), timeout=30))
    assert ended == [True]


def test_workers_that_are_told_to_stop_before_they_run_stop(database):
    workers = Workers(database.libpq_url, [], concurrency={"a": 1, "b": 1}, stalled_after_s=30, on_stop=lambda: None)

    async def run() -> None:
        workers.stop()
        await workers.run()

    asyncio.run(asyncio.wait_for(run(), timeout=10))
