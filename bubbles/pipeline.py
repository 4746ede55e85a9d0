"""THE MAP: the journey of a bubble, step by step; what follows what, how a step is retried, what runs by itself.

    accept      POST /api/bubbles, `bubbles publish`   accept.accept           -> normalise
    normalise   worker                                 normalise.normalise     -> transcribe; playable, listed
    transcribe  worker                                 transcribe.transcribe   -> ready, found by its words
    listen      GET /media/..., POST /api/listens      listen.*                -> statistics

Each arrow is a job enqueued in the same transaction as the rows that it follows from.
"""

import contextlib
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from bubbles import chores, failures, machine, normalise, spans, transcribe
from bubbles.absences import ABSENCES
from bubbles.app import LOOK_AGAIN_S, House
from bubbles.chores import RESCUE, SWEEPS, UPKEEP
from bubbles.config import Settings
from bubbles.db import away, bubbles, steps
from bubbles.db.jobs import Job
from bubbles.errors import Code, Refused
from bubbles.failures import Verdict
from bubbles.model.bubble import Bubble
from bubbles.model.step import Step, StepName
from bubbles.shift import Shift

BLOB_SLACK_S = 120
"""What fetching and storing may add to a step's own deadline."""

QUEUES = (*StepName, UPKEEP)
"""What a worker may be told to serve; `rescue` and `sweeps` go with `upkeep`."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Stage:
    """A step as the worker runs it: its verb, and what giving up means for the bubble."""

    run: Callable[[House, Step], None]
    on_give_up: Callable[[Session, Bubble, datetime, str], None]


def _normalise(house: House, step: Step) -> None:
    normalise.normalise(
        house.database,
        house.blobs,
        step,
        limits=house.probe_limits,
        deadline_s=house.settings.normalise_deadline_s,
        workdir=chores.workdir(house),
        clock=house.now,
    )


def _transcribe(house: House, step: Step) -> None:
    transcribe.transcribe(
        house.database,
        house.blobs,
        house.transcriber,
        step,
        limits=house.probe_limits,
        workdir=chores.workdir(house),
        clock=house.now,
    )


def _no_rendition(session: Session, bubble: Bubble, now: datetime, error: str) -> None:  # noqa: ARG001 - as _no_words
    if error in set(Code):
        bubble.refused_at, bubble.refused_reason = now, error
    else:
        bubble.failed_at = now
    log.error("bubble_failed", bubble_id=bubble.id, error=error)


def _no_words(session: Session, bubble: Bubble, now: datetime, error: str) -> None:
    transcribe.drop_recording(session, bubble, now)
    log.error("transcript_failed", bubble_id=bubble.id, error=error)


STAGES: dict[StepName, Stage] = {
    StepName.NORMALISE: Stage(_normalise, on_give_up=_no_rendition),
    StepName.TRANSCRIBE: Stage(_transcribe, on_give_up=_no_words),
}


def at_once(settings: Settings, queues: Collection[str] = QUEUES) -> dict[str, int]:
    """How many jobs of each queue one worker process that serves these runs at once.

    Raises `Refused` (`bad_request`) for a queue that there is not, and for none.
    """
    unknown = sorted(set(queues) - set(QUEUES))
    if unknown or not queues:
        named = f"There is no queue {', '.join(unknown)}" if unknown else "No queue is named"
        raise Refused(Code.BAD_REQUEST, f"{named}; there are {', '.join(QUEUES)}.")
    counts: dict[str, int] = {
        StepName.NORMALISE: settings.normalise_at_once,
        StepName.TRANSCRIBE: settings.transcribe_at_once,
        UPKEEP: 1,
    }
    beside = {RESCUE: 1, SWEEPS: 1} if UPKEEP in queues else {}
    return {str(queue): counts[queue] for queue in queues} | beside


def run_step(house: House, name: StepName, bubble_id: int, *, shift: Shift | None = None) -> None:
    """Runs one step of one bubble and records how it ended, whatever happens in it.

    While the shift is leaving, a failure is the fault of our own end: the step is put off at once and uses up no
    attempt.
    """
    shift = shift or Shift()
    # What has killed a worker may do so again: then it takes along nobody else, who would be given up with it.
    with house.database.transaction() as session:
        alone = steps.wants_to_be_alone(session, bubble_id, name)
    with shift.room(alone=alone):
        _attempt(house, name, bubble_id, shift)


def _attempt(house: House, name: StepName, bubble_id: int, shift: Shift) -> None:
    up_since = machine.up_since()
    with house.database.transaction() as session:
        has_died = steps.has_died(session, bubble_id, name, up_since=up_since)
        step = steps.begin(session, bubble_id, name, house.now(), up_since=up_since)
    if step is None:
        return
    deadline_s = _deadline_s(house.settings, name)
    with (
        structlog.contextvars.bound_contextvars(step=name, bubble_id=bubble_id, attempt=step.attempt),
        shift.task(name, deadline_s=deadline_s, step=step),
    ):
        # The first death is nobody's fault, and costs no time; another, while it ran alone, may be the recording's.
        if has_died and step.deaths > 1:
            _obey(house, step, failures.after_death(house, step.deaths))
        else:
            _run(house, step, shift)


def _run(house: House, step: Step, shift: Shift) -> None:
    try:
        with spans.span(f"step {step.name}", bubble__id=step.bubble_id, attempt=step.attempt):
            STAGES[StepName(step.name)].run(house, step)
        ABSENCES.worked("disk")
    except steps.Overtaken:
        log.warning("overtaken")
    except Exception as error:
        _ended_badly(house, step, error, shift)


def _ended_badly(house: House, step: Step, error: Exception, shift: Shift) -> None:
    """Has the step's row say so; should the database be away, as soon as it is there, within the shift's patience.

    Else nobody would know that it was not the recording that ended the attempt.
    """
    until_s = time.monotonic() + shift.patience_s
    while True:
        try:
            _failed(house, step, error, leaving=shift.leaving.is_set())
        except Exception as failure:
            if not away.is_troubled(failure) or time.monotonic() >= until_s:
                raise
            ABSENCES.missed("database", away.detail(failure))
            time.sleep(LOOK_AGAIN_S)
        else:
            return


def took_too_long(house: House, step: Step) -> None:
    """Ends an attempt that hangs, as a failure; whatever it still writes is refused."""
    _failed(house, step, TimeoutError(f"{step.name} did not return"), leaving=False)


def put_back(house: House, step: Step) -> None:
    """Has an attempt that we cannot wait for begun again elsewhere, uncounted; whatever it still writes is refused."""
    _obey(house, step, failures.AT_ONCE)


def _failed(house: House, step: Step, error: Exception, *, leaving: bool) -> None:
    _obey(house, step, failures.AT_ONCE if leaving else failures.verdict(house, step, error))


def _obey(house: House, step: Step, verdict: Verdict) -> None:
    """Puts the step off, or gives it up."""
    counts = {"counted": verdict.counted, "died": verdict.died}
    with contextlib.suppress(steps.Overtaken), house.database.transaction() as session:
        if verdict.wait is not None:
            waiting_for, error = verdict.waiting_for, verdict.error
            steps.put_off(session, step, wait=verdict.wait, waiting_for=waiting_for, error=error, **counts)
            return
        # Bubble before step, as everywhere: the other way round is a deadlock.
        bubble, reason = bubbles.lock(session, step.bubble_id), str(verdict.error)
        steps.give_up(session, step, now=house.now(), error=reason, **counts)
        STAGES[StepName(step.name)].on_give_up(session, bubble, house.now(), reason)


def jobs(house: House, shift: Shift) -> list[Job]:
    """All that a worker runs: the steps, and what runs by itself."""

    def step(name: StepName) -> Job:
        def run(bubble_id: int) -> None:
            with chores.database_may_be_away():  # `revive` finds the step that nobody will run
                run_step(house, name, bubble_id, shift=shift)

        return Job(name, name, run)

    by_itself = chores.jobs(house, shift, overdue_after=_overdue_after(house.settings))
    return [*(step(name) for name in STAGES), *by_itself]


def _deadline_s(settings: Settings, name: StepName) -> float:
    """How long a step may take, all in all."""
    own_s = {StepName.NORMALISE: settings.normalise_deadline_s, StepName.TRANSCRIBE: settings.transcribe_deadline_s}
    return own_s[name] + settings.probe_timeout_s + BLOB_SLACK_S


def _overdue_after(settings: Settings) -> timedelta:
    """Longer than any step may take: whoever began before that hangs, and so does the worker that should have seen."""
    return timedelta(seconds=max(_deadline_s(settings, name) for name in StepName) + BLOB_SLACK_S)
