"""Moderation: hold, release and withdraw, each with a reason and a name."""

from datetime import datetime

from sqlmodel import Session

from bubbles.db import bubbles, discards, erasures, search, withdrawn
from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble
from bubbles.model.erasure import of_bubble
from bubbles.model.texts import clean_line
from bubbles.model.withdrawn import empty

REASON_MAX = 500


def hold(session: Session, bubble: Bubble, *, by: str, reason: str, now: datetime) -> None:
    """Hides a bubble from everyone but its team until a moderator releases it."""
    bubble = _standing(session, bubble)
    bubble.held_at, bubble.held_by, bubble.held_reason = now, by, _reason(reason)


def release(session: Session, bubble: Bubble, *, by: str, reason: str, now: datetime) -> None:
    """Shows a held bubble again, and keeps why."""
    bubble = _standing(session, bubble)
    if bubble.held_at is None:
        raise Refused(Code.CONFLICT, "The bubble is not held.")
    bubble.held_at = bubble.held_by = bubble.held_reason = None
    bubble.released_at, bubble.released_by, bubble.released_reason = now, by, _reason(reason)


def withdraw(session: Session, bubble: Bubble, *, by: str, reason: str, now: datetime) -> None:
    """Hides a bubble at once and for good: words, title, place, time, digest and index go now, the blobs right after.

    Doing it again changes nothing.
    """
    bubble = bubbles.lock(session, bubble.id)
    if bubble.withdrawn_at:
        return
    blob_keys = [made.blob_key for made in bubbles.renditions(session, bubble.id)]
    if bubble.recording_key:
        blob_keys.append(bubble.recording_key)
    bubble.withdrawn_at, bubble.withdrawn_by, bubble.withdrawn_reason = now, by, _reason(reason)
    empty(bubble)
    bubble.version += 1
    search.remove(session, bubble.id)
    bubbles.forget_contents(session, bubble.id)
    withdrawn.forget_course(session, bubble)
    discards.add(session, blob_keys, now)
    erasures.add(session, of_bubble(bubble.code), now)


def _standing(session: Session, bubble: Bubble) -> Bubble:
    locked = bubbles.lock(session, bubble.id)
    if locked.withdrawn_at:
        raise Refused(Code.CONFLICT, "The bubble is withdrawn.")
    return locked


def _reason(reason: str) -> str:
    return clean_line(reason, what="reason", length_max=REASON_MAX)
