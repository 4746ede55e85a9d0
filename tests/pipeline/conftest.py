"""A bubble whose first step is due, and what that step does."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from bubbles import ids, pipeline
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db import steps
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.step import Step, StepName
from bubbles.pipeline import Stage

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = StepName.NORMALISE


@dataclass
class Script:
    """A step that does what the test says, and remembers what it was given."""

    does: list[object] = field(default_factory=list)
    seen: list[Step] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)

    def run(self, house: House, step: Step) -> None:
        self.seen.append(step)
        outcome = self.does.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        if callable(outcome):
            outcome(house, step)
        with house.database.transaction() as session:
            steps.finish(session, step, house.now())

    def on_give_up(self, session, bubble: Bubble, now: datetime, error: str) -> None:
        self.gave_up.append(error)


@pytest.fixture
def house(database, tmp_path) -> House:
    settings = Settings(data_dir=tmp_path, attempts_max=3)
    return House(settings, database, open_store((tmp_path / "blobs").as_uri()), None, now=lambda: NOON)


@pytest.fixture
def script(monkeypatch) -> Script:
    script = Script()
    monkeypatch.setitem(pipeline.STAGES, NAME, Stage(script.run, on_give_up=script.on_give_up))
    return script


@pytest.fixture
def bubble_id(house) -> int:
    with house.database.transaction() as session:
        handle = ids.new_code().lower()
        account = Account(handle=handle, created_at=NOON)
        channel = Channel(handle=handle, title=handle, created_at=NOON)
        session.add_all([account, channel])
        session.flush()
        bubble = Bubble(
            code=ids.new_code(),
            channel_id=channel.id,
            author_id=account.id,
            duration_s=1.0,
            recording_sha256="0",
            recording_bytes=1,
            recorded_at=NOON,
            created_at=NOON,
        )
        session.add(bubble)
        session.flush()
        steps.enqueue(session, bubble.id, NAME, NOON)
        return bubble.id


def step_of(house: House, bubble_id: int) -> Step:
    with house.database.transaction() as session:
        return steps.of(session, bubble_id, NAME)


def due(house: House, bubble_id: int) -> list[datetime]:
    """When the jobs that wait for this bubble may run, NOON for at once: NOON is when they were added."""
    query = """
        SELECT coalesce(scheduled_at - event.at, '0')
        FROM procrastinate_jobs job JOIN procrastinate_events event ON job_id = job.id
        WHERE status = 'todo' AND event.type = 'deferred' AND (args->>'bubble_id')::bigint = :id ORDER BY job.id
    """
    with house.database.transaction() as session:
        return [NOON + wait for wait in session.connection().execute(text(query), {"id": bubble_id}).scalars()]
