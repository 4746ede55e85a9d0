"""How a step stands in line: how many come before it, and when it will have ended.

The order is that in which Procrastinate hands out the jobs; the pace is that of the latest runs.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from bubbles.db import crew, steps
from bubbles.model.bubble import Bubble
from bubbles.model.step import Step

PACE_SAMPLE = 20
"""How many of the latest runs the pace is taken from."""

SOUND_SAMPLE = 1000
"""Of how many of those ahead the sound is really added up; of more it is taken to be as much each."""

_AHEAD = text("""
    WITH ahead AS MATERIALIZED (
        SELECT (job.args ->> 'bubble_id')::bigint AS bubble_id FROM procrastinate_jobs job
        WHERE job.queue_name = :name AND job.status IN ('todo', 'doing') AND job.lock <> :lock
          AND (job.status = 'doing' OR (job.scheduled_at IS NULL OR job.scheduled_at <= now())
               AND (-job.priority, job.id) < (
                   SELECT -priority, id FROM procrastinate_jobs WHERE lock = :lock AND status = 'todo'
                   ORDER BY priority DESC, id LIMIT 1
               ))
    )
    SELECT (SELECT count(*) FROM ahead) AS steps, (
        SELECT coalesce(avg(duration_s), 0)
        FROM (SELECT bubble_id FROM ahead LIMIT :sample) AS heard JOIN bubble ON bubble.id = heard.bubble_id
    ) AS sound_s_each
""")
_PACE = text("""
    SELECT sum(ran_s) / nullif(sum(duration_s), 0) FROM (
        SELECT extract(epoch FROM finished_at - started_at) AS ran_s, duration_s
        FROM step JOIN bubble ON bubble.id = step.bubble_id
        WHERE name = :name AND finished_at IS NOT NULL AND started_at IS NOT NULL
        ORDER BY finished_at DESC LIMIT :sample
    ) latest
""")


@dataclass(frozen=True)
class Place:
    """`position`: how many run or come before, 0 being next or running. `eta_s`: seconds until the step has ended.

    `eta_s` is None while nothing was timed yet, nobody serves the queue, or the step waits for something else.
    """

    position: int
    eta_s: float | None


def place(session: Session, step: Step) -> Place:
    """Where an unfinished step stands."""
    position, sound_ahead_s = _ahead(session, step)
    pace, slots = _pace(session, step.name), crew.slots(session).get(step.name, 0)
    if pace is None or not slots or step.waiting_for or step.error:
        return Place(position, None)
    own_s = session.get_one(Bubble, step.bubble_id).duration_s
    return Place(position, round(pace * (sound_ahead_s / slots + own_s), 1))


def _ahead(session: Session, step: Step) -> tuple[int, float]:
    """How many run or come before, and the seconds of sound in them; nothing comes before a step that runs."""
    if step.started_at is not None:
        return 0, 0.0
    known = {"name": step.name, "lock": steps.lock_of(step), "sample": SOUND_SAMPLE}
    found = session.connection().execute(_AHEAD, known).one()
    return int(found.steps), found.steps * float(found.sound_s_each)


def _pace(session: Session, name: str) -> float | None:
    """Seconds of work for a second of sound, over the latest runs."""
    pace = session.connection().execute(_PACE, {"name": name, "sample": PACE_SAMPLE}).scalar_one()
    return float(pace) if pace is not None else None
