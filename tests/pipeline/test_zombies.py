"""Whatever becomes of a step meanwhile, an attempt that was given up for dead writes nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from bubbles import pipeline
from bubbles.app import House
from bubbles.db import steps
from bubbles.model.step import Step
from bubbles.pipeline import run_step
from tests.pipeline.conftest import NAME, NOON, due, step_of


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


def test_a_zombies_result_is_refused(house, script, bubble_id):
    def meanwhile(house: House, step: Step) -> None:
        with house.database.transaction() as session:
            steps.begin(session, bubble_id, NAME, NOON)

    script.does = [meanwhile]
    run_step(house, NAME, bubble_id)
    step = step_of(house, bubble_id)
    assert (step.finished_at, step.attempt) == (None, 2)


def test_an_attempt_that_was_put_off_may_write_no_more(house, bubble_id):
    with house.database.transaction() as session:
        hung = steps.begin(session, bubble_id, NAME, NOON)
    pipeline.took_too_long(house, hung)
    with pytest.raises(steps.Overtaken), house.database.transaction() as session:
        steps.finish(session, hung, NOON)
    step = step_of(house, bubble_id)
    assert (step.error, step.tries, step.started_at) == ("TimeoutError", 1, None)


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
