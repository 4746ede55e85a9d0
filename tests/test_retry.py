"""What was given up is begun again by hand; what was not is left alone."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, update

from bubbles import ids, retry
from bubbles.db import bubbles, steps
from bubbles.db.engine import Database
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble, State
from bubbles.model.channel import Channel
from bubbles.model.step import Step, StepName

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


def bubble_with(session: Session, name: StepName, **columns: object) -> Bubble:
    handle = ids.new_code().lower()
    account = Account(handle=handle, created_at=NOON)
    channel = Channel(handle=handle, title=handle, created_at=NOON)
    session.add_all([account, channel])
    session.flush()
    known = {"code": ids.new_code(), "channel_id": channel.id, "author_id": account.id, "recording_sha256": "0"}
    times = {"recorded_at": NOON, "created_at": NOON, "recording_key": "recordings/a/b"}
    bubble = Bubble(duration_s=1.0, recording_bytes=1, **(known | times | columns))
    session.add(bubble)
    session.flush()
    steps.enqueue(session, bubble.id, name, NOON)
    return bubble


def given_up(session: Session, name: StepName, **columns: object) -> Bubble:
    bubble = bubble_with(session, name, **columns)
    step = steps.begin(session, bubble.id, name, NOON)
    session.flush()
    steps.give_up(session, step, now=NOON, error="died_too_often")
    return bubble


@pytest.mark.parametrize("columns", [{"failed_at": NOON}, {"refused_at": NOON, "refused_reason": "not_audio"}])
def test_a_bubble_that_failed_is_in_preparation_again_with_all_its_tries(
    database: Database, columns: dict[str, object]
) -> None:
    with database.transaction() as session:
        bubble = given_up(session, StepName.NORMALISE, **columns)
    with database.transaction() as session:
        assert retry.retry(session, bubble, now=LATER) is StepName.NORMALISE
    with database.transaction() as session:
        step = steps.of(session, bubble.id, StepName.NORMALISE)
        assert (step.tries, step.gave_up_at, step.error, step.queued_at) == (0, None, None, LATER)
        assert bubbles.get(session, bubble.id).state is State.PROCESSING
        assert steps.begin(session, bubble.id, StepName.NORMALISE, LATER).attempt > 1


def test_words_that_were_given_up_are_tried_again_from_a_rendition_too(database: Database) -> None:
    with database.transaction() as session:
        bubble = given_up(session, StepName.TRANSCRIBE, playable_at=NOON, recording_key=None)
        assert retry.retry(session, bubble, now=LATER) is StepName.TRANSCRIBE


def test_a_step_that_is_put_off_is_due_at_once(database: Database) -> None:
    with database.transaction() as session:
        bubble = bubble_with(session, StepName.NORMALISE)
        step = steps.begin(session, bubble.id, StepName.NORMALISE, NOON)
        session.flush()
        steps.put_off(session, step, wait=timedelta(hours=1), waiting_for="store", error=None, counted=False)
    with database.transaction() as session:
        assert retry.retry(session, bubble, now=NOON) is StepName.NORMALISE


@pytest.mark.parametrize("deed", ["waits", "runs", "ended"])
def test_what_was_not_given_up_is_left_alone(database: Database, deed: str) -> None:
    with database.transaction() as session:
        bubble = bubble_with(session, StepName.NORMALISE)
        if deed != "waits":
            step = steps.begin(session, bubble.id, StepName.NORMALISE, NOON)
            session.flush()
        if deed == "ended":
            steps.finish(session, step, NOON)
    with pytest.raises(Refused) as refused, database.transaction() as session:
        retry.retry(session, bubble, now=LATER)
    assert refused.value.code is Code.CONFLICT


@pytest.mark.parametrize("columns", [{"recording_key": None, "failed_at": NOON}, {"withdrawn_at": NOON}])
def test_without_its_recording_nothing_is_tried_again(database: Database, columns: dict[str, object]) -> None:
    with database.transaction() as session:
        bubble = given_up(session, StepName.NORMALISE, **columns)
    with pytest.raises(Refused) as refused, database.transaction() as session:
        retry.retry(session, bubble, now=LATER)
    assert refused.value.code is Code.CONFLICT


def test_the_first_step_of_the_journey_that_is_stuck_is_meant(database: Database) -> None:
    gave_up = {name: Step(bubble_id=1, name=name, queued_at=NOON, gave_up_at=NOON) for name in reversed(StepName)}
    with database.transaction() as session:
        assert retry.stuck(bubble_with(session, StepName.NORMALISE), gave_up) is StepName.NORMALISE


# Once more by itself, after a day

DAY_LATER = NOON + timedelta(days=1, minutes=1)


def given_up_for(database: Database, name: StepName, error: str, **columns: object) -> int:
    with database.transaction() as session:
        bubble = given_up(session, name, **columns)
        found = steps.of(session, bubble.id, name)
        found.error = error
        return bubble.id


def tried(database: Database, bubble_id: int, name: StepName) -> bool:
    """Whether the step is to be done."""
    with database.transaction() as session:
        step = steps.of(session, bubble_id, name)
        return step.gave_up_at is None and step.finished_at is None


@pytest.fixture
def settled(database: Database) -> Database:
    """A database in which everything has been tried once more already."""
    with database.transaction() as session:
        session.exec(update(Step).values(tried_again_at=NOON, finished_at=NOON))
    return database


@pytest.mark.parametrize("error", ["died", "no_memory", "died_too_often", "spoiled", "RuntimeError"])
def test_words_that_were_given_up_are_tried_once_more_after_a_day_without_the_recording_too(
    settled: Database, error: str
) -> None:
    given = given_up_for(settled, StepName.TRANSCRIBE, error, playable_at=NOON, recording_key=None)
    assert retry.again(settled, now=DAY_LATER - timedelta(minutes=2)) == 0
    assert retry.again(settled, now=DAY_LATER) == 1
    assert tried(settled, given, StepName.TRANSCRIBE)
    assert retry.again(settled, now=DAY_LATER) == 0
    with settled.transaction() as session:
        again = steps.begin(session, given, StepName.TRANSCRIBE, DAY_LATER)
        assert (again.tries, again.deaths) == (0, 0)
        session.flush()
        steps.give_up(session, again, now=DAY_LATER, error=error)
    assert retry.again(settled, now=DAY_LATER + timedelta(days=9)) == 0


def test_a_bubble_that_failed_is_in_preparation_once_more_after_a_day(settled: Database) -> None:
    given = given_up_for(settled, StepName.NORMALISE, "died", failed_at=NOON)
    assert retry.again(settled, now=DAY_LATER) == 1
    with settled.transaction() as session:
        assert bubbles.get(session, given).state is State.PROCESSING


@pytest.mark.parametrize(
    ("error", "columns"),
    [
        ("not_audio", {"refused_at": NOON, "refused_reason": "not_audio"}),
        ("died", {"failed_at": NOON, "recording_key": None}),
        ("died", {"failed_at": NOON, "withdrawn_at": NOON}),
    ],
    ids=["refused", "no sound", "withdrawn"],
)
def test_what_is_refused_or_gone_stays_given_up(settled: Database, error: str, columns: dict[str, object]) -> None:
    given = given_up_for(settled, StepName.NORMALISE, error, **columns)
    assert retry.again(settled, now=DAY_LATER) == 0
    assert not tried(settled, given, StepName.NORMALISE)


def test_who_tries_by_hand_has_another_day_afterwards(settled: Database) -> None:
    given = given_up_for(settled, StepName.TRANSCRIBE, "died", playable_at=NOON)
    assert retry.again(settled, now=DAY_LATER) == 1
    with settled.transaction() as session:
        steps.enqueue(session, given, StepName.TRANSCRIBE, DAY_LATER)
        step = steps.begin(session, given, StepName.TRANSCRIBE, DAY_LATER)
        session.flush()
        steps.give_up(session, step, now=DAY_LATER, error="died")
    assert retry.again(settled, now=DAY_LATER + timedelta(days=2)) == 1


def test_a_day_on_which_everything_failed_comes_back_by_and_by(
    settled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "AGAIN_AT_ONCE", 2)
    for _ in range(3):
        given_up_for(settled, StepName.TRANSCRIBE, "died", playable_at=NOON)
    assert [retry.again(settled, now=DAY_LATER) for _ in range(2)] == [2, 0]
    with settled.transaction() as session:
        session.exec(update(Step).where(col(Step.gave_up_at).is_(None)).values(finished_at=DAY_LATER))
    assert retry.again(settled, now=DAY_LATER) == 1
