"""What a failure means: waited for, tried again, given up."""

import errno
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bubbles import pipeline, publish
from bubbles.app import House
from bubbles.db import bubbles, steps
from bubbles.errors import Code, Missing, Refused
from bubbles.failures import WAIT_FOR_PART
from bubbles.model.bubble import State
from bubbles.model.step import Step, StepName
from bubbles.pipeline import Stage, run_step
from bubbles.shift import Shift
from tests.pipeline.conftest import NAME, NOON, due, step_of


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
    assert due(house, bubble_id)[-1] == NOON + WAIT_FOR_PART


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


def test_waiting_for_a_bubble_says_what_it_waits_for(house, script, bubble_id):
    script.does = [Missing("store", "It is away.")]
    with pytest.raises(Missing) as missing:
        publish.wait(house, bubble_id)
    assert (missing.value.part, len(script.seen)) == ("store", 1)


def test_waiting_for_a_bubble_says_that_the_database_is_away(house, bubble_id, monkeypatch):
    def away(*_: object) -> None:
        raise OperationalError("SELECT 1", None, psycopg.errors.AdminShutdown("terminating connection"))

    monkeypatch.setattr(publish, "_has_ended", away)
    with pytest.raises(Missing, match="The bubble is kept; it has to wait for the database") as missing:
        publish.wait(house, bubble_id)
    assert missing.value.part == "database"


def test_a_worker_that_leaves_puts_its_step_back_uncounted(house, script, bubble_id):
    shift = Shift()
    shift.leaving.set()
    script.does = [RuntimeError("the speech process was stopped")]
    run_step(house, NAME, bubble_id, shift=shift)
    step = step_of(house, bubble_id)
    assert (step.tries, step.started_at, step.error) == (0, None, None)
    assert due(house, bubble_id)[-1] == NOON


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


def test_a_rolled_back_transaction_leaves_no_job(house, bubble_id):
    before = len(due(house, bubble_id))
    with pytest.raises(ZeroDivisionError), house.database.transaction() as session:
        steps.enqueue(session, bubble_id, StepName.TRANSCRIBE, NOON)
        raise ZeroDivisionError
    assert len(due(house, bubble_id)) == before


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


@pytest.mark.parametrize(("queues", "told"), [(["transcribe", "sing"], "no queue sing"), ([], "No queue")])
def test_a_queue_that_there_is_not_is_refused(house, queues, told):
    with pytest.raises(Refused, match=told):
        pipeline.at_once(house.settings, queues)


def test_each_queue_runs_as_many_at_once_as_is_set(house):
    settings = house.settings.model_copy(update={"transcribe_at_once": 3})
    assert pipeline.at_once(settings) == {"normalise": 1, "transcribe": 3, "upkeep": 1, "rescue": 1, "sweeps": 1}
    assert pipeline.at_once(settings, ["transcribe"]) == {"transcribe": 3}


@pytest.mark.parametrize("off", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_clock_that_is_off_neither_hurries_nor_delays_what_is_tried_again(house, script, bubble_id, off):
    house = replace(house, now=lambda: datetime.now(UTC) + off)
    script.does = [Missing("store", "It is away.")]
    run_step(house, NAME, bubble_id)
    assert due(house, bubble_id) == [NOON + WAIT_FOR_PART]
    with house.database.transaction() as session:
        assert steps.begin(session, bubble_id, NAME, house.now())
        session.flush()
        assert steps.revive(session, overdue_after=timedelta(minutes=20)) == 0
