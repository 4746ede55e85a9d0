"""Signs of a proxy that is not named, as rows. The clock is the database's."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from bubbles.model.front import Front

KEPT = timedelta(days=1)
_SEEN = text("""
    SELECT sum(requests)::bigint, sum(forwarded)::bigint, sum(forwarded_near)::bigint, bool_and(is_one_private)
    FROM front WHERE hour >= date_trunc('hour', now()) - interval '1 hour' AND requests > 0
""")


@dataclass(frozen=True)
class Seen:
    """What all processes saw in this hour and the one before; `is_one_private`: each of them saw one address."""

    requests: int
    forwarded: int
    forwarded_near: int
    is_one_private: bool


def write(session: Session, rows: Iterable[Front]) -> None:
    """Puts a process's counts in the place of what it said before; what is old goes."""
    for row in rows:
        values = row.model_dump()
        added = insert(Front).values(values)
        session.connection().execute(
            added.on_conflict_do_update(index_elements=["process_id", "hour"], set_=values),
        )
    session.connection().execute(text("DELETE FROM front WHERE hour < now() - :kept"), {"kept": KEPT})


def seen(session: Session) -> Seen | None:
    """What was seen lately; None when nobody came."""
    found = session.connection().execute(_SEEN).one()
    return Seen(*found) if found[0] else None
