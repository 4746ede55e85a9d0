"""What a player's wish for bytes is judged by, in one query: every range is judged anew."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlmodel import Session, SQLModel

from bubbles.model.bubble import Bubble
from bubbles.model.channel import Role
from bubbles.model.rendition import Rendition

_BUBBLE, _RENDITION, _MEMBERSHIP = (SQLModel.metadata.tables[name] for name in ("bubble", "rendition", "membership"))
_JUDGED = ("id", "code", "channel_id", "author_id", "visibility")
_OF_BUBBLE = [column for column in _BUBBLE.c if column.name in _JUDGED or column.name.endswith("_at")]
"""Every moment, so that none that hides a bubble is left out."""

_OF_RENDITION = [_RENDITION.c[name] for name in ("bubble_id", "kind", "blob_key", "length_bytes", "sha256")]
_BUBBLE_NAMES = [column.name for column in _OF_BUBBLE]
_RENDITION_NAMES = [column.name for column in _OF_RENDITION]
_FIND = (
    select(*_OF_BUBBLE, *_OF_RENDITION, _MEMBERSHIP.c.role)
    .join_from(_BUBBLE, _RENDITION, (_RENDITION.c.bubble_id == _BUBBLE.c.id) & (_RENDITION.c.kind == bindparam("kind")))
    .outerjoin(
        _MEMBERSHIP,
        (_MEMBERSHIP.c.channel_id == _BUBBLE.c.channel_id) & (_MEMBERSHIP.c.account_id == bindparam("account_id")),
    )
    .where(_BUBBLE.c.code == bindparam("code"))
)


@dataclass(frozen=True)
class Audible:
    """One rendition, and what is known of its bubble: who, when and for whom, nothing of what it says.

    `role` is what who asks is in the team. No part belongs to a session: they are for reading.
    """

    bubble: Bubble
    rendition: Rendition
    role: Role | None


def without_transaction(session: Session) -> None:
    """Has a session that has done nothing yet keep each statement by itself, at once: two round trips less."""
    session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})


def find(session: Session, code: str, kind: str, *, account_id: int | None) -> Audible | None:
    """One rendition of a bubble. Judge it with `policy.require_bubble` before use."""
    asked = {"code": code, "kind": kind, "account_id": account_id}
    row = session.connection().execute(_FIND, asked).first()
    if row is None:
        return None
    of_bubble, of_rendition = row[: len(_OF_BUBBLE)], row[len(_OF_BUBBLE) : -1]
    return Audible(
        bubble=Bubble(tags=[], **dict(zip(_BUBBLE_NAMES, of_bubble, strict=True))),  # a default would be worked out
        rendition=Rendition(**dict(zip(_RENDITION_NAMES, of_rendition, strict=True))),
        role=Role(row[-1]) if row[-1] else None,
    )
