"""A death over a recording: told from an outage, tried again alone and later each time, and only then given up."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bubbles import machine, pipeline
from bubbles.app import House
from bubbles.db import steps
from bubbles.db.away import missing
from bubbles.errors import Died, Missing
from bubbles.failures import DEATH_BACKOFF_S, PATIENT_BACKOFF_S, WAIT_FOR_PART
from bubbles.model.step import Step
from bubbles.pipeline import run_step
from bubbles.shift import Shift
from tests.pipeline.conftest import NAME, NOON, due, step_of

KILLED = Died("speech", "It was ended from outside.")


@pytest.fixture
def now() -> datetime:
    """A moment after the database and this machine were started."""
    return datetime.now(UTC) + timedelta(minutes=1)


def begin(house: House, bubble_id: int, now: datetime) -> None:
    """A worker begins, and dies."""
    with house.database.transaction() as session:
        steps.begin(session, bubble_id, NAME, now, up_since=machine.up_since())


def waited(house: House, bubble_id: int) -> float:
    return (due(house, bubble_id)[-1] - NOON).total_seconds()


def test_the_first_death_of_a_worker_is_nobodys_fault_and_costs_no_time(house, script, bubble_id, now):
    begin(house, bubble_id, now)
    script.does = [None]
    run_step(house, NAME, bubble_id)
    step = step_of(house, bubble_id)
    assert (step.finished_at is None, step.tries, step.deaths) == (False, 0, 1)


def test_workers_that_die_again_and_again_are_given_time_then_the_step_is_given_up(house, script, bubble_id, now):
    waits = []
    begin(house, bubble_id, now)
    begin(house, bubble_id, now)
    for _ in range(house.settings.attempts_max - 1):
        run_step(house, NAME, bubble_id)
        waits.append(waited(house, bubble_id))
        assert (script.gave_up, step_of(house, bubble_id).error) == ([], "died")
        begin(house, bubble_id, now)
    run_step(house, NAME, bubble_id)
    assert (script.seen, script.gave_up, waits) == ([], ["died"], list(DEATH_BACKOFF_S[1:3]))


@pytest.mark.parametrize("what", ["database", "machine"])
def test_a_worker_that_ended_with_its_database_or_its_machine_did_not_die_over_the_recording(
    house, script, bubble_id, monkeypatch, what
):
    began = datetime.now(UTC)
    if what == "database":
        began -= timedelta(days=1)  # before this server was started
    else:
        monkeypatch.setattr(machine, "up_since", lambda: datetime.now(UTC) + timedelta(days=1))
    for _ in range(10):
        begin(house, bubble_id, began)
    script.does = [None]
    run_step(house, NAME, bubble_id)
    step = step_of(house, bubble_id)
    assert (step.deaths, step.finished_at is None, script.gave_up) == (0, False, [])


def test_a_process_that_is_killed_is_started_again_later_each_time_uncounted(house, script, bubble_id):
    script.does = [KILLED] * 3 + [None]
    waits = []
    for _ in range(3):
        run_step(house, NAME, bubble_id)
        waits.append(waited(house, bubble_id))
    step = step_of(house, bubble_id)
    assert waits == list(DEATH_BACKOFF_S[:3])
    assert (step.error, step.tries, step.deaths, step.gave_up_at) == ("died", 0, 3, None)
    run_step(house, NAME, bubble_id)
    assert (step_of(house, bubble_id).finished_at is None, script.gave_up) == (False, [])


def test_one_death_more_than_tries_gives_a_step_up(house, script, bubble_id):
    script.does = [KILLED] * (house.settings.attempts_max + 1)
    for _ in script.does.copy():
        assert script.gave_up == []
        run_step(house, NAME, bubble_id)
    assert script.gave_up == ["died"]


def test_deaths_do_not_add_to_failures(house, script, bubble_id):
    script.does = [KILLED, OSError("disk"), KILLED, OSError("disk"), KILLED]
    for _ in script.does.copy():
        run_step(house, NAME, bubble_id)
    assert (step_of(house, bubble_id).tries, step_of(house, bubble_id).deaths, script.gave_up) == (2, 3, [])


def test_what_a_process_died_over_or_memory_did_not_suffice_for_runs_alone(house, script, bubble_id, monkeypatch, now):
    asked = []
    monkeypatch.setattr(Shift, "room", lambda shift, *, alone: (asked.append(alone), nullcontext())[1])
    script.does = [OSError("disk"), Missing("memory", "more"), KILLED, None]
    run_step(house, NAME, bubble_id)
    run_step(house, NAME, bubble_id)
    run_step(house, NAME, bubble_id)
    begin(house, bubble_id, now)
    run_step(house, NAME, bubble_id)
    assert asked == [False, False, True, True]


def test_memory_that_lacks_is_waited_for_longer_each_time(house, script, bubble_id):
    script.does = [Missing("memory", "more")] * 2
    waits = []
    for _ in range(2):
        run_step(house, NAME, bubble_id)
        waits.append(waited(house, bubble_id))
    assert waits == list(PATIENT_BACKOFF_S[:2])


# A database that is away


def refused(sqlstate: str | None) -> OperationalError:
    kind = psycopg.errors.lookup(sqlstate) if sqlstate else psycopg.OperationalError
    return OperationalError("SELECT 1", None, kind("server closed the connection unexpectedly"))


@pytest.mark.parametrize("sqlstate", [None, "53100", "53300", "57P01", "57P03", "08006", "40P01", "57014"])
def test_a_database_that_is_away_or_lacks_room_uses_up_no_try(house, script, bubble_id, sqlstate):
    script.does = [refused(sqlstate)] * 10
    for _ in range(10):
        run_step(house, NAME, bubble_id)
    step = step_of(house, bubble_id)
    assert (step.waiting_for, step.tries, step.deaths, step.gave_up_at) == ("database", 0, 0, None)
    assert due(house, bubble_id)[-1] == NOON + WAIT_FOR_PART


def test_what_the_database_objects_to_counts(house, script, bubble_id):
    script.does = [OperationalError("SELECT 1", None, psycopg.errors.SyntaxError("near SELECT"))]
    run_step(house, NAME, bubble_id)
    assert (step_of(house, bubble_id).waiting_for, step_of(house, bubble_id).tries) == (None, 1)


def test_a_database_that_is_away_when_a_step_is_put_off_is_told_as_soon_as_it_is_back(
    house, script, bubble_id, monkeypatch
):
    looks = []
    put_off = steps.put_off

    def away_twice(session, step: Step, **how: object) -> None:
        looks.append(1)
        if len(looks) < 3:
            raise refused("57P01")
        put_off(session, step, **how)

    monkeypatch.setattr(steps, "put_off", away_twice)
    monkeypatch.setattr(pipeline, "LOOK_AGAIN_S", 0.01)
    script.does = [refused(None)]
    run_step(house, NAME, bubble_id, shift=Shift(patience_s=60))
    step = step_of(house, bubble_id)
    assert (len(looks), step.waiting_for, step.tries, step.started_at) == (3, "database", 0, None)


def test_who_does_not_wait_for_the_database_is_told_that_it_is_away_and_no_try_is_used_up(
    house, script, bubble_id, monkeypatch
):
    def away(*_: object, **__: object) -> None:
        raise refused(None)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(steps, "put_off", away)
        script.does = [refused(None)]
        with pytest.raises(OperationalError) as raised:
            run_step(house, NAME, bubble_id)
    assert missing(raised.value)
    with house.database.transaction() as session:
        session.connection().execute(text("DELETE FROM procrastinate_jobs"))
        steps.revive(session, overdue_after=timedelta(minutes=20))
    step = step_of(house, bubble_id)
    assert (step.tries, step.deaths, step.started_at) == (0, 0, None)
