"""Bubbles, their renditions and transcripts, as rows."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, delete, select

from bubbles.db import towns
from bubbles.db.towns import Named
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel, Membership, Role
from bubbles.model.rendition import Rendition
from bubbles.model.step import Step
from bubbles.model.transcript import Transcript

LISTED = cast("ColumnElement[bool]", Bubble.listed)
"""What lists, map, feeds and sitemap hold."""


def by_code(session: Session, code: str, *, account_id: int | None) -> tuple[Bubble, Role | None] | None:
    """A bubble and the role that who asks has in its team. Judge it with `policy.require_bubble` before use."""
    bubble = session.exec(select(Bubble).where(Bubble.code == code)).first()
    if bubble is None:
        return None
    member = session.get(Membership, (bubble.channel_id, account_id)) if account_id else None
    return bubble, Role(member.role) if member else None


def lock(session: Session, bubble_id: int) -> Bubble:
    """A bubble that is known to be there, as it is now, locked until the transaction ends."""
    return session.exec(
        select(Bubble).where(Bubble.id == bubble_id).with_for_update().execution_options(populate_existing=True)
    ).one()


def get(session: Session, bubble_id: int) -> Bubble:
    """A bubble that is known to be there."""
    return session.get_one(Bubble, bubble_id)


def of_channel(
    session: Session, channel_id: int, *, all_states: bool, limit: int, before: datetime | None = None
) -> list[Bubble]:
    """A channel's newest bubbles: the listed ones, or for its team all that are not withdrawn."""
    query = select(Bubble).where(Bubble.channel_id == channel_id)
    query = query.where(col(Bubble.withdrawn_at).is_(None) if all_states else LISTED)
    if before is not None:
        query = query.where(Bubble.created_at < before)
    return list(session.exec(query.order_by(col(Bubble.created_at).desc(), col(Bubble.id).desc()).limit(limit)))


def renditions(session: Session, bubble_id: int) -> list[Rendition]:
    """A bubble's renditions, `m4a` before `ogg`."""
    return list(session.exec(select(Rendition).where(Rendition.bubble_id == bubble_id).order_by(Rendition.kind)))


def transcript(session: Session, bubble_id: int) -> Transcript | None:
    """A bubble's words, once there are any."""
    return session.get(Transcript, bubble_id)


def forget_contents(session: Session, bubble_id: int) -> None:
    """Deletes the rows of renditions and transcript; the blobs are the caller's."""
    for table in (Rendition, Transcript):
        session.exec(delete(table).where(col(table.bubble_id) == bubble_id))


def with_old_recordings(session: Session, before: datetime, *, limit: int) -> list[Bubble]:
    """Bubbles that could not be made playable before that time and whose recordings are there still, locked.

    Those whose authors asked to keep the recording are not among them.
    """
    over = col(Bubble.failed_at).is_not(None) | col(Bubble.refused_at).is_not(None)
    ended = func.greatest(Bubble.failed_at, Bubble.refused_at) < before
    kept = (col(Bubble.recording_key).is_not(None), col(Bubble.keep_recording).is_(False))
    return list(session.exec(select(Bubble).where(over, ended, *kept).limit(limit).with_for_update(skip_locked=True)))


@dataclass(frozen=True)
class Whole:
    """A bubble with all that is told of it."""

    bubble: Bubble
    channel: Channel
    renditions: list[Rendition]
    transcript: Transcript | None
    steps: dict[str, Step]
    town: Named | None


def whole(session: Session, bubbles: list[Bubble]) -> list[Whole]:
    """Bubbles with all that is told of them, in the same order, in five queries however many there are."""
    ids = [bubble.id for bubble in bubbles]
    channel_ids = {bubble.channel_id for bubble in bubbles}
    channels = {
        channel.id: channel for channel in session.exec(select(Channel).where(col(Channel.id).in_(channel_ids)))
    }
    made = session.exec(select(Rendition).where(col(Rendition.bubble_id).in_(ids)).order_by(Rendition.kind)).all()
    said = {row.bubble_id: row for row in session.exec(select(Transcript).where(col(Transcript.bubble_id).in_(ids)))}
    steps = session.exec(select(Step).where(col(Step.bubble_id).in_(ids))).all()
    named = towns.names(session, [bubble.place for bubble in bubbles])
    return [
        Whole(
            bubble=bubble,
            channel=channels[bubble.channel_id],
            renditions=[rendition for rendition in made if rendition.bubble_id == bubble.id],
            transcript=said.get(bubble.id),
            steps={step.name: step for step in steps if step.bubble_id == bubble.id},
            town=town,
        )
        for bubble, town in zip(bubbles, named, strict=True)
    ]


def newest_code(session: Session) -> str | None:
    """The code of the newest listed bubble."""
    return session.exec(select(Bubble.code).where(LISTED).order_by(col(Bubble.playable_at).desc()).limit(1)).first()
