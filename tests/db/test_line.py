"""Position and expected time follow the order in which the queue really hands out its jobs, and who serves it."""

from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlmodel import Session

from bubbles import ids
from bubbles.db import crew, jobs, line, steps
from bubbles.db.engine import Database
from bubbles.db.line import Place
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.step import Step, StepName, Urgency, turn_of

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = StepName.TRANSCRIBE
FETCH = text("SELECT ((procrastinate_fetch_job_v2(ARRAY['transcribe'], NULL)).args ->> 'bubble_id')::bigint")
_number = count()


@pytest.fixture(autouse=True)
def _empty(database: Database) -> None:
    with database.transaction() as session:
        for table in ("procrastinate_jobs", "step", "serving"):
            session.connection().execute(text(f"TRUNCATE {table} CASCADE"))


def waiting(
    session: Session, duration_s: float = 10, *, queued_at: datetime = NOON, urgency: Urgency = Urgency.NOW
) -> Step:
    """The step of a new bubble."""
    handle = f"somebody{next(_number)}"
    account = Account(handle=handle, created_at=NOON)
    channel = Channel(handle=handle, title=handle, created_at=NOON)
    session.add_all([account, channel])
    session.flush()
    bubble = Bubble(
        code=ids.new_code(), channel_id=channel.id, author_id=account.id, duration_s=duration_s,
        recording_sha256="0", recording_bytes=1, recorded_at=NOON, created_at=NOON,
    )  # fmt: skip
    session.add(bubble)
    session.flush()
    steps.enqueue(session, bubble.id, NAME, queued_at, turn_at=turn_of(queued_at, duration_s, urgency))
    return session.get_one(Step, (bubble.id, NAME))


def begin(session: Session) -> int:
    """Hands out the next job as the queue does, and begins its step."""
    bubble_id = int(session.connection().execute(FETCH).scalar_one())
    assert steps.begin(session, bubble_id, NAME, NOON)
    session.flush()
    return bubble_id


def ran(session: Session, duration_s: float, *, took_s: float) -> None:
    """A step that ran, for its pace."""
    step = waiting(session, duration_s)
    begin(session)
    steps.finish(session, step, NOON + timedelta(seconds=took_s))
    session.connection().execute(text("DELETE FROM procrastinate_jobs"))


def put_off(session: Session, step: Step, *, wait: timedelta = timedelta(0)) -> None:
    """As a worker does: the step first, then its job is gone."""
    steps.put_off(session, step, wait=wait, waiting_for="model", error=None, counted=False)
    session.connection().execute(text("DELETE FROM procrastinate_jobs WHERE status = 'doing'"))


def serve(session: Session, at_once: int) -> None:
    crew.serve(session, uuid4(), {NAME: at_once}, alive_s=60)


def test_positions_are_the_order_in_which_the_jobs_are_handed_out(database: Database) -> None:
    random = Random(0)
    with database.transaction() as session:
        for _ in range(30):
            queued_at = NOON + timedelta(seconds=random.randrange(3600))
            waiting(session, random.uniform(0.3, 120), queued_at=queued_at, urgency=random.choice(list(Urgency)))
        unfinished = [step for _, step in steps.unfinished(session, gave_up=False, limit=100)]
        foretold = sorted(unfinished, key=lambda step: line.place(session, step).position)
        assert [line.place(session, step).position for step in foretold] == list(range(30))
        assert [begin(session) for _ in range(30)] == [step.bubble_id for step in foretold]


def test_what_runs_is_ahead_of_what_waits_and_nothing_is_ahead_of_it(database: Database) -> None:
    with database.transaction() as session:
        early, late = waiting(session), waiting(session, queued_at=NOON + timedelta(minutes=1))
        assert begin(session) == early.bubble_id
        assert [line.place(session, step).position for step in (early, late)] == [0, 1]


def test_a_step_that_is_put_off_is_ahead_of_nobody(database: Database) -> None:
    with database.transaction() as session:
        early, late = waiting(session), waiting(session, queued_at=NOON + timedelta(minutes=1))
        begin(session)
        put_off(session, early, wait=timedelta(hours=1))
        assert line.place(session, late).position == 0


def test_the_expected_time_is_the_sound_ahead_at_the_latest_pace_over_all_who_serve(database: Database) -> None:
    with database.transaction() as session:
        ran(session, 10, took_s=3)
        ran(session, 30, took_s=9)  # 0.3 s for each second of sound
        waiting(session, 40)
        last = waiting(session, 20, queued_at=NOON + timedelta(minutes=5))
        assert line.place(session, last) == Place(1, None)  # nobody serves
        serve(session, 1)
        assert line.place(session, last) == Place(1, 18.0)
        serve(session, 3)
        assert line.place(session, last) == Place(1, 9.0)


def test_nothing_is_expected_of_a_step_that_waits_for_a_part(database: Database) -> None:
    with database.transaction() as session:
        ran(session, 10, took_s=3)
        serve(session, 1)
        step = waiting(session)
        begin(session)
        put_off(session, step)
        session.refresh(step)
        assert line.place(session, step) == Place(0, None)


def test_a_step_whose_worker_died_after_putting_it_back_has_one_place(database: Database) -> None:
    with database.transaction() as session:
        first = waiting(session)
        begin(session)
        steps.put_off(session, first, wait=timedelta(0), waiting_for=None, error=None, counted=False)
        jobs.recover(session, stalled_after_s=30)
        last = waiting(session, queued_at=NOON + timedelta(minutes=5))
        session.refresh(first)
        assert [line.place(session, step).position for step in (first, last)] == [0, 1]


def test_of_a_long_line_the_sound_ahead_is_reckoned_from_some(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "SOUND_SAMPLE", 2)
    with database.transaction() as session:
        ran(session, 10, took_s=10)
        serve(session, 1)
        for _ in range(5):
            waiting(session, 10)
        last = waiting(session, 20, queued_at=NOON + timedelta(minutes=5))
        assert line.place(session, last) == Place(5, 70.0)
