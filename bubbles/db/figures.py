"""How the whole house stands, counted from rows, so that any web process tells it for all workers.

Each question of `figures` is bounded by an index or a small table (`tests/bench/figures.py` at 50,000 bubbles); the
census is one pass over all bubbles and steps, for who paces it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, text
from sqlmodel import Session, col, select

from bubbles.db import chores, crew
from bubbles.model.bubble import Bubble, State
from bubbles.model.chore import Chore
from bubbles.model.step import SPOILED, StepName

WAITS_FOR = ("worker", "retry", SPOILED, "model", "store", "database", "disk", "decoder", "other")
"""What a step may wait for: its turn, its next try after a failure or because its sound is spoiled, or a part."""

RUNS = 100
"""The real-time factor is that of the latest runs, so many, of the last hour."""


@dataclass(frozen=True)
class Waiting:
    """Steps that wait, and the age of the oldest, from when it was queued first."""

    count: int
    oldest_s: float


@dataclass(frozen=True)
class Runs:
    """The latest runs of a step: how many of the last hour, and what `RUNS` of them took for how much sound."""

    count: int
    work_s: float
    sound_s: float


@dataclass(frozen=True)
class Figures:
    """What changes from moment to moment. Steps by name; jobs by queue and status.

    `slots` are how many jobs of a queue can run at once, `clock_ahead_s` how much the database's clock is before ours.
    """

    waiting: Mapping[tuple[str, str], Waiting]
    running: Mapping[str, int]
    runs: Mapping[str, Runs]
    jobs: Mapping[tuple[str, str], int]
    slots: Mapping[str, int]
    chores: Sequence[Chore]
    discards: Waiting
    clock_ahead_s: float


@dataclass(frozen=True)
class Census:
    """Bubbles by state, and steps by name that were given up."""

    states: Mapping[State, int]
    given_up: Mapping[str, int]


_UNFINISHED = text("""
    SELECT name,
           CASE WHEN waiting_for IS NOT NULL THEN waiting_for
                WHEN started_at IS NOT NULL THEN 'running'
                WHEN error IS NOT NULL THEN 'retry'
                ELSE 'worker' END AS waits_for,
           count(*), extract(epoch FROM :now - min(queued_at))
    FROM step WHERE finished_at IS NULL AND gave_up_at IS NULL
    GROUP BY 1, 2
""")
_GIVEN_UP = text("SELECT name, count(*) FROM step WHERE gave_up_at IS NOT NULL GROUP BY name")
_RUNS = text("""
    SELECT wanted.name, hour.count, coalesce(latest.work_s, 0), coalesce(latest.sound_s, 0)
    FROM unnest(CAST(:names AS text[])) AS wanted (name),
    LATERAL (
        SELECT count(*) FROM step
        WHERE step.name = wanted.name AND finished_at > :now - interval '1 hour' AND started_at IS NOT NULL
    ) AS hour,
    LATERAL (
        SELECT extract(epoch FROM sum(finished_at - started_at)) AS work_s, sum(duration_s) AS sound_s
        FROM (
            SELECT finished_at, started_at, bubble_id FROM step
            WHERE step.name = wanted.name AND finished_at > :now - interval '1 hour' AND started_at IS NOT NULL
            ORDER BY finished_at DESC LIMIT :runs
        ) AS ran JOIN bubble ON bubble.id = ran.bubble_id
    ) AS latest
""")
_JOBS = text("SELECT queue_name, status::text, count(*) FROM procrastinate_jobs GROUP BY 1, 2")
_DISCARDS = text(
    "SELECT count(*), coalesce(extract(epoch FROM :now - min(due_at)), 0) FROM discard WHERE due_at <= :now"
)
_CLOCK = text("SELECT extract(epoch FROM clock_timestamp())")
_STATE: ColumnElement[str] = case(
    (col(Bubble.withdrawn_at).is_not(None), State.WITHDRAWN),
    (col(Bubble.refused_at).is_not(None), State.REFUSED),
    (col(Bubble.held_at).is_not(None), State.HELD),
    (col(Bubble.failed_at).is_not(None), State.FAILED),
    (col(Bubble.playable_at).is_(None), State.PROCESSING),
    (col(Bubble.ready_at).is_(None), State.PLAYABLE),
    else_=State.READY,
)


def figures(session: Session, now: datetime) -> Figures:
    """All of them."""
    clock_ahead_s = float(_rows(session, _CLOCK)[0][0]) - now.timestamp()  # before the others take their time
    unfinished = _rows(session, _UNFINISHED, now=now)
    count, oldest_s = _rows(session, _DISCARDS, now=now)[0]
    return Figures(
        waiting=_waiting([row for row in unfinished if row[1] != "running"]),
        running={name: count for name, waits_for, count, _ in unfinished if waits_for == "running"},
        runs={
            name: Runs(count, float(work_s), float(sound_s))
            for name, count, work_s, sound_s in _rows(session, _RUNS, runs=RUNS, now=now, names=[*StepName])
        },
        jobs={(queue, status): count for queue, status, count in _rows(session, _JOBS)},
        slots=crew.slots(session),
        chores=chores.latest(session),
        discards=Waiting(count, float(oldest_s)),
        clock_ahead_s=clock_ahead_s,
    )


def census(session: Session) -> Census:
    """Reads all bubbles and all steps."""
    found = dict(session.exec(select(_STATE, func.count()).group_by(_STATE)).all())
    states = {state: found.get(state, 0) for state in State}
    return Census(states, given_up=dict(_rows(session, _GIVEN_UP)))


def _waiting(rows: list[Any]) -> dict[tuple[str, str], Waiting]:
    """By step and by what it waits for, which is never another word than ours."""
    found: dict[tuple[str, str], Waiting] = {}
    for name, given, count, oldest_s in rows:
        key = (name, given if given in WAITS_FOR else "other")
        before = found.get(key, Waiting(0, 0.0))
        found[key] = Waiting(before.count + count, max(before.oldest_s, float(oldest_s)))
    return found


def _rows(session: Session, statement: Any, **values: Any) -> list[Any]:
    return list(session.connection().execute(statement, values))
