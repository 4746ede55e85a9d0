"""Who serves which queue."""

from uuid import uuid4

from sqlalchemy import text

from bubbles.db import crew
from bubbles.db.engine import Database


def test_the_living_are_counted_by_queue_and_the_dead_are_not(database: Database) -> None:
    one, other, dead = uuid4(), uuid4(), uuid4()
    with database.transaction() as session:
        crew.serve(session, one, {"normalise": 1, "transcribe": 2}, alive_s=30)
        crew.serve(session, one, {"normalise": 1, "transcribe": 2}, alive_s=30)
        crew.serve(session, other, {"transcribe": 3}, alive_s=30)
        crew.serve(session, dead, {"upkeep": 1}, alive_s=-1)
        assert crew.slots(session) == {"normalise": 1, "transcribe": 5}
        crew.leave(session, one)
        assert crew.slots(session) == {"transcribe": 3}


def test_what_the_dead_left_is_cleared_away(database: Database) -> None:
    with database.transaction() as session:
        crew.serve(session, uuid4(), {"normalise": 1}, alive_s=-100_000)
        crew.leave(session, uuid4())
        left = session.connection().execute(text("SELECT count(*) FROM serving WHERE queue = 'normalise'"))
        assert left.scalar_one() == 0
