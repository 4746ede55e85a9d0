"""Steps of the journey, as rows: begun, finished, put off or given up, each only by the latest attempt."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, func, text
from sqlmodel import Session, col, select, update

from bubbles.db import jobs
from bubbles.model.bubble import Bubble
from bubbles.model.step import NO_MEMORY, Step, StepName

_JOB_AT_WORK = """
    SELECT FROM procrastinate_jobs job
    WHERE job.lock = step.name || ' ' || step.bubble_id AND job.status IN ('todo', 'doing')
"""


class Overtaken(Exception):
    """A later attempt has begun, or the step is over: the result of this one must not be written."""


def enqueue(
    session: Session, bubble_id: int, name: StepName, now: datetime, *, turn_at: datetime | None = None
) -> None:
    """Makes the step due, again too; the job stands in the queue that bears the step's name, before later turns.

    `turn_at` is what `turn_of` says, `now` by default.
    """
    step = session.get(Step, (bubble_id, name), with_for_update=True, populate_existing=True)
    if step is None:
        step = Step(bubble_id=bubble_id, name=name, queued_at=now, turn_at=turn_at or now)
        session.add(step)
    else:
        step.attempt += 1  # what may still run is overtaken
        step.queued_at, step.turn_at = now, turn_at or now
        step.tries, step.deaths, step.waiting_for, step.error = 0, 0, None, None
        step.started_at = step.finished_at = step.gave_up_at = step.tried_again_at = None
    session.flush()
    _add_job(session, step)


def begin(
    session: Session, bubble_id: int, name: StepName, now: datetime, *, up_since: datetime | None = None
) -> Step | None:
    """Starts an attempt; None when the step is over. One before that `has_died` is counted."""
    step = session.get(Step, (bubble_id, name), with_for_update=True, populate_existing=True)
    if step is None or step.finished_at or step.gave_up_at:
        return None
    step.deaths += has_died(session, bubble_id, name, up_since=up_since)
    step.attempt += 1
    step.started_at, step.waiting_for = now, None
    return step


def has_died(session: Session, bubble_id: int, name: StepName, *, up_since: datetime | None = None) -> bool:
    """Whether the latest attempt never told how it ended, as when its worker was killed; asked before the next.

    The recording did not do it when the database, or this machine, which is `up_since`, was started after the attempt:
    that ends whatever runs.
    """
    step = session.get(Step, (bubble_id, name))
    if step is None or step.started_at is None or step.finished_at or step.gave_up_at:
        return False
    return step.started_at > max(filter(None, (_up_since(session), up_since)))


def _up_since(session: Session) -> datetime:
    since: datetime = session.connection().execute(text("SELECT pg_postmaster_start_time()")).scalar_one()
    return since


def wants_to_be_alone(session: Session, bubble_id: int, name: StepName) -> bool:
    """Whether a process died over the step, or memory did not suffice for it: it might take others along."""
    step = session.get(Step, (bubble_id, name))
    if step is None or step.finished_at or step.gave_up_at:
        return False
    return bool(step.started_at or step.deaths or step.error == NO_MEMORY)


def require_latest(session: Session, step: Step) -> None:
    """Raises `Overtaken` unless this attempt still owns the step; it keeps it until the transaction ends."""
    _write(session, step, waiting_for=None)


def finish(session: Session, step: Step, now: datetime) -> None:
    """Ends the step well; raises `Overtaken` when another attempt owns it."""
    _write(session, step, finished_at=now, waiting_for=None, error=None)


def put_off(
    session: Session,
    step: Step,
    *,
    wait: timedelta,
    waiting_for: str | None,
    error: str | None,
    counted: bool,
    died: bool = False,
) -> None:
    """Has the step tried again after `wait`, for want of the part `waiting_for`; `counted`: the attempt failed.

    `died`: a process died over it.
    """
    tries, deaths = step.tries + counted, step.deaths + died
    _write(session, step, started_at=None, waiting_for=waiting_for, error=error, tries=tries, deaths=deaths)
    _add_job(session, step, run_in=wait)


def give_up(
    session: Session, step: Step, *, now: datetime, error: str, counted: bool = False, died: bool = False
) -> None:
    """Ends the step badly, with the reason in a word or two; `counted` and `died` as in `put_off`."""
    tries, deaths = step.tries + counted, step.deaths + died
    _write(session, step, gave_up_at=now, waiting_for=None, error=error, tries=tries, deaths=deaths)


def _add_job(session: Session, step: Step, *, run_in: timedelta | None = None) -> None:
    """A job in the queue that bears the step's name; two of one step never run at once, and never wait."""
    jobs.enqueue(
        session,
        step.name,
        queue=step.name,
        lock=lock_of(step),
        run_in=run_in,
        turn_at=step.turn_at,
        bubble_id=step.bubble_id,
    )


def lock_of(step: Step) -> str:
    """What the jobs of a step have in common."""
    return f"{step.name} {step.bubble_id}"


def _write(session: Session, step: Step, **values: Any) -> None:
    mine = (col(Step.bubble_id) == step.bubble_id, col(Step.name) == step.name, col(Step.attempt) == step.attempt)
    # One that was put off is no longer under way, though no other attempt has begun yet.
    under_way = (col(Step.started_at).is_not(None), col(Step.finished_at).is_(None), col(Step.gave_up_at).is_(None))
    written = session.exec(update(Step).where(*mine, *under_way).values(**values))
    if cast("CursorResult[Any]", written).rowcount != 1:
        raise Overtaken(f"{step.name} of bubble {step.bubble_id}, attempt {step.attempt}")


def revive(session: Session, *, overdue_after: timedelta) -> int:
    """Enqueues the unfinished steps that no job stands for, or whose job began too long ago by the database's clock.

    The first happens when the database was away at the moment that a step would have been put off, the second when a
    worker hangs and does not know it. Returns how many.
    """
    jobs.let_go_overdue(session, overdue_after=overdue_after)
    unfinished = (col(Step.finished_at).is_(None), col(Step.gave_up_at).is_(None))
    query = select(Step).where(*unfinished, text(f"NOT EXISTS ({_JOB_AT_WORK})"))
    found = session.exec(query.with_for_update(skip_locked=True)).all()
    for step in found:
        step.started_at = None
        _add_job(session, step)
    return len(found)


def waiting_of(session: Session, account_id: int) -> int:
    """How many bubbles of an author have a step that waits or runs."""
    unfinished = (col(Step.finished_at).is_(None), col(Step.gave_up_at).is_(None), Bubble.author_id == account_id)
    return session.exec(select(func.count()).select_from(Step).join(Bubble).where(*unfinished)).one()


def unfinished(session: Session, *, gave_up: bool, limit: int) -> list[tuple[str, Step]]:
    """The steps that wait, run or were given up, with their bubbles' codes, by turn; `gave_up`: those alone."""
    query = select(Bubble.code, Step).join(Step)
    query = query.where(col(Step.finished_at).is_(None), col(Bubble.withdrawn_at).is_(None))
    if gave_up:
        query = query.where(col(Step.gave_up_at).is_not(None))
    return [(code, step) for code, step in session.exec(query.order_by(col(Step.turn_at)).limit(limit))]


def given_up(session: Session, *, before: datetime, but_for: Collection[str], limit: int) -> list[tuple[int, StepName]]:
    """Steps that were given up before a moment, for other reasons, and were not tried once more, the oldest first.

    None while as many as `limit` that were tried once more are not over yet.
    """
    unfinished = (col(Step.finished_at).is_(None), col(Step.gave_up_at).is_(None))
    waiting = select(func.count()).where(col(Step.tried_again_at).is_not(None), *unfinished)
    room = limit - session.exec(waiting).one()
    query = select(Step.bubble_id, Step.name).where(
        col(Step.gave_up_at) < before, col(Step.tried_again_at).is_(None), col(Step.error).not_in(but_for)
    )
    found = session.exec(query.order_by(col(Step.gave_up_at)).limit(max(0, room))).all()
    return [(bubble_id, StepName(name)) for bubble_id, name in found]


def mark_tried_again(session: Session, bubble_id: int, name: StepName, now: datetime) -> None:
    """Writes down that a step was begun once more after it was given up: it will not be again."""
    session.exec(
        update(Step).where(col(Step.bubble_id) == bubble_id, col(Step.name) == name).values(tried_again_at=now)
    )


def of(session: Session, bubble_id: int, name: StepName) -> Step | None:
    """How far a step got."""
    return session.get(Step, (bubble_id, name))


def of_bubble(session: Session, bubble_id: int) -> dict[str, Step]:
    """All steps of a bubble, by name."""
    return {step.name: step for step in session.exec(select(Step).where(Step.bubble_id == bubble_id))}
