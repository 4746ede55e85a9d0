"""Who serves which queue. Every worker process says so again and again; the clock is the database's."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

_SERVE = text("""
    INSERT INTO serving (process_id, queue, at_once, alive_until)
    SELECT :process_id, queue, at_once, now() + make_interval(secs => :alive_s)
    FROM unnest(CAST(:queues AS text[]), CAST(:counts AS int[])) AS served (queue, at_once)
    ON CONFLICT (process_id, queue) DO UPDATE SET at_once = excluded.at_once, alive_until = excluded.alive_until
""")
_ALIVE = text("SELECT queue, sum(at_once) FROM serving WHERE alive_until > now() GROUP BY queue")


def serve(session: Session, process_id: UUID, at_once: Mapping[str, int], *, alive_s: float) -> None:
    """A sign of life: the process serves these queues, `at_once` jobs of each, for `alive_s` more seconds at least."""
    served = {"queues": list(map(str, at_once)), "counts": list(at_once.values())}
    session.connection().execute(_SERVE, served | {"process_id": process_id, "alive_s": alive_s})


def leave(session: Session, process_id: UUID) -> None:
    """The process serves nothing any more; what dead ones left behind goes too."""
    gone = text("DELETE FROM serving WHERE process_id = :process_id OR alive_until < now() - interval '1 day'")
    session.connection().execute(gone, {"process_id": process_id})


def slots(session: Session) -> dict[str, int]:
    """How many jobs of each queue all living workers together run at once; a queue that nobody serves is absent."""
    return {str(queue): int(count) for queue, count in session.connection().execute(_ALIVE)}
