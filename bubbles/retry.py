"""Retry: a step that was given up, or is put off, is begun again by hand; what was given up once more by itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlmodel import Session

from bubbles.db import bubbles, steps
from bubbles.db.engine import Database
from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble
from bubbles.model.step import Step, StepName, Urgency, turn_of

AGAIN_AFTER = timedelta(days=1)
"""After which what was given up is begun once more: what made it fail may be mended by then."""

AGAIN_AT_ONCE = 100
"""At most this many wait at a time, behind all others: a day on which everything failed comes back by and by."""


def stuck(bubble: Bubble, by_name: Mapping[str, Step]) -> StepName | None:
    """The first step of the journey that was given up, or waits for its next try or a part, and has its sound still."""
    name = next((name for name in StepName if (step := by_name.get(name)) and _is_stuck(step)), None)
    has_sound = name is not StepName.NORMALISE or bubble.recording_key is not None
    return name if has_sound and bubble.withdrawn_at is None else None


def _is_stuck(step: Step) -> bool:
    was_put_off = step.started_at is None and bool(step.waiting_for or step.error)
    return step.gave_up_at is not None or (was_put_off and step.finished_at is None)


def retry(session: Session, bubble: Bubble, *, now: datetime) -> StepName:
    """Has the step that is stuck begun at once, as if it had never been tried; returns which.

    A bubble that it had made `failed` or `refused` is in preparation again. Raises `conflict` when no step is stuck.
    """
    bubble = bubbles.lock(session, bubble.id)
    name = stuck(bubble, steps.of_bubble(session, bubble.id))
    if name is None:
        raise Refused(Code.CONFLICT, "Nothing of this bubble was given up or put off, or its recording is gone.")
    _begin(session, bubble, name, now, Urgency.NOW)
    return name


def _begin(session: Session, bubble: Bubble, name: StepName, now: datetime, urgency: Urgency) -> None:
    if name is StepName.NORMALISE:
        bubble.failed_at = bubble.refused_at = bubble.refused_reason = None
    steps.enqueue(session, bubble.id, name, now, turn_at=turn_of(now, bubble.duration_s, urgency))


def again(database: Database, *, now: datetime) -> int:
    """Begins once more what was given up a day ago and not since, but for refusals; returns how many.

    Words are heard from a rendition where the recording is gone. What has no sound any longer stays given up.
    """
    begun = 0
    with database.transaction() as session:
        found = steps.given_up(session, before=now - AGAIN_AFTER, but_for=set(Code), limit=AGAIN_AT_ONCE)
    for bubble_id, name in found:
        with database.transaction() as session:
            bubble = bubbles.lock(session, bubble_id)
            if stuck(bubble, steps.of_bubble(session, bubble_id)) is name:
                _begin(session, bubble, name, now, Urgency.AGAIN)
                begun += 1
            steps.mark_tried_again(session, bubble_id, name, now)
    return begun
