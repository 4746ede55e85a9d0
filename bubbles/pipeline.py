"""THE MAP: the journey of a bubble, step by step; what follows what, how a step is retried, what runs by itself.

    accept      POST /api/bubbles, `bubbles publish`   accept.accept           -> normalise
    normalise   worker                                 normalise.normalise     -> transcribe; playable, listed
    transcribe  worker                                 transcribe.transcribe   -> ready, found by its words
    listen      GET /media/..., POST /api/listens      listen.*                -> statistics

Each arrow is a job enqueued in the same transaction as the rows that it follows from.
"""

import contextlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from bubbles import chores, normalise, spans, transcribe
from bubbles.app import House
from bubbles.blobs.store import Spoiled
from bubbles.blobs.trials import require_faithful
from bubbles.chores import RESCUE, SWEEPS, UPKEEP
from bubbles.config import Settings
from bubbles.db import bubbles, steps
from bubbles.db.jobs import Job
from bubbles.errors import EXHAUSTED, Code, Missing, Refused
from bubbles.model.bubble import Bubble
from bubbles.model.step import SPOILED, Step, StepName
from bubbles.shift import Shift

WAIT_FOR_PART = timedelta(seconds=30)
"""How long a step waits before it looks again for a part that is missing. It uses up no attempt."""

BACKOFF_S = (2, 10, 60, 300)
"""Seconds before the second, third, ... try after a failure; the last is repeated."""

SPOILED_BACKOFF_S = (30, 120, 600)
"""As `BACKOFF_S`, for sound that is spoiled: time for whoever has a copy of it."""

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
        has_died = steps.has_died(session, bubble_id, name)
    with shift.room(alone=has_died):
        _attempt(house, name, bubble_id, shift)


def _attempt(house: House, name: StepName, bubble_id: int, shift: Shift) -> None:
    with house.database.transaction() as session:
        step = steps.begin(session, bubble_id, name, house.now())
    if step is None:
        return
    deadline_s = _deadline_s(house.settings, name)
    with (
        structlog.contextvars.bound_contextvars(step=name, bubble_id=bubble_id, attempt=step.attempt),
        shift.task(name, deadline_s=deadline_s, step=step),
    ):
        try:
            if step.tries > house.settings.attempts_max:
                _give_up(house, step, "died_too_often")
                return
            with spans.span(f"step {name}", bubble__id=bubble_id, attempt=step.attempt):
                STAGES[name].run(house, step)
        except steps.Overtaken:
            log.warning("overtaken")
        except Exception as error:
            _failed(house, step, error, leaving=shift.leaving.is_set())


def took_too_long(house: House, step: Step) -> None:
    """Ends an attempt that hangs, as a failure; whatever it still writes is refused."""
    _failed(house, step, TimeoutError(f"{step.name} did not return"), leaving=False)


def put_back(house: House, step: Step) -> None:
    """Has an attempt that we cannot wait for begun again elsewhere, uncounted; whatever it still writes is refused."""
    _put_off(house, step, timedelta(0), counted=False)


def _failed(house: House, step: Step, error: Exception, *, leaving: bool) -> None:
    """Puts the step off, or gives it up.

    A refusal is tried again like any failure: the same bytes were accepted once.
    """
    if leaving:
        _put_off(house, step, timedelta(0), counted=False)
        return
    error = _judged(house, error)
    name, part = _named(error), _missing_part(error)
    if part is not None:
        log.warning("waits", part=part, detail=str(error))
        _put_off(house, step, WAIT_FOR_PART, waiting_for=part, counted=False)
    elif step.tries >= house.settings.attempts_max:
        log.error("gives_up", exc_info=error)
        _give_up(house, step, name)
    else:
        log.warning("tries_again", exc_info=error)
        backoff_s, waiting_for = (SPOILED_BACKOFF_S, SPOILED) if name == SPOILED else (BACKOFF_S, None)
        wait = timedelta(seconds=backoff_s[min(step.tries, len(backoff_s)) - 1])
        _put_off(house, step, wait, waiting_for=waiting_for, error=name, counted=True)


def _judged(house: House, error: Exception) -> Exception:
    """The error itself, or that the store is away: one that spoils even what it is just given is not to be believed."""
    if isinstance(error, Spoiled):
        try:
            require_faithful(house.blobs)
        except Missing as missing:
            return Missing(missing.part, missing.detail)
    return error


def _named(error: Exception) -> str:
    if isinstance(error, Refused):
        return error.code
    if isinstance(error, Spoiled):
        return SPOILED
    return f"no_{error.part}" if isinstance(error, Missing) else type(error).__name__


def _missing_part(error: Exception) -> str | None:
    """The part whose absence the step waits out.

    Lack of memory is none: it may be the recording that eats it. Nor is a blob that is spoiled: it may stay so.
    """
    if isinstance(error, Missing) and error.part != "memory" and not isinstance(error, Spoiled):
        return error.part
    return "disk" if isinstance(error, OSError) and error.errno in EXHAUSTED else None


def _give_up(house: House, step: Step, error: str) -> None:
    with contextlib.suppress(steps.Overtaken), house.database.transaction() as session:
        # Bubble before step, as everywhere: the other way round is a deadlock.
        bubble = bubbles.lock(session, step.bubble_id)
        steps.give_up(session, step, now=house.now(), error=error)
        STAGES[StepName(step.name)].on_give_up(session, bubble, house.now(), error)


def _put_off(
    house: House,
    step: Step,
    wait: timedelta,
    *,
    waiting_for: str | None = None,
    error: str | None = None,
    counted: bool,
) -> None:
    with contextlib.suppress(steps.Overtaken), house.database.transaction() as session:
        steps.put_off(session, step, wait=wait, waiting_for=waiting_for, error=error, counted=counted)


def jobs(house: House, shift: Shift) -> list[Job]:
    """All that a worker runs: the steps, and what runs by itself."""

    def step(name: StepName) -> Job:
        return Job(name, name, lambda bubble_id: run_step(house, name, bubble_id, shift=shift))

    by_itself = chores.jobs(house, shift, overdue_after=_overdue_after(house.settings))
    return [*(step(name) for name in STAGES), *by_itself]


def _deadline_s(settings: Settings, name: StepName) -> float:
    """How long a step may take, all in all."""
    own_s = {StepName.NORMALISE: settings.normalise_deadline_s, StepName.TRANSCRIBE: settings.transcribe_deadline_s}
    return own_s[name] + settings.probe_timeout_s + BLOB_SLACK_S


def _overdue_after(settings: Settings) -> timedelta:
    """Longer than any step may take: whoever began before that hangs, and so does the worker that should have seen."""
    return timedelta(seconds=max(_deadline_s(settings, name) for name in StepName) + BLOB_SLACK_S)
