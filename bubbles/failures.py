"""What a failure of a step means: waited out, tried again later, or given up. `pipeline` writes it down."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from bubbles.absences import ABSENCES
from bubbles.app import House
from bubbles.blobs.store import Spoiled
from bubbles.blobs.trials import require_faithful
from bubbles.db import away
from bubbles.errors import EXHAUSTED, Died, Missing, Refused
from bubbles.model.step import DIED, NO_MEMORY, SPOILED, Step

WAIT_FOR_PART = timedelta(seconds=30)
"""How long a step waits before it looks again for a part that is missing. It uses up no attempt."""

BACKOFF_S = (2, 10, 60, 300)
"""Seconds before the second, third, ... try after a failure; the last is repeated."""

PATIENT_BACKOFF_S = (30, 120, 600)
"""As `BACKOFF_S`, for spoiled sound, until a copy is put back, and for lack of memory, until others free some."""

DEATH_BACKOFF_S = (2, 30, 120, 600)
"""As `BACKOFF_S`, after the first, second, ... death, until whoever ends processes or takes all memory stops."""

NO_ROOM = "This machine has no room on a disk, or no more open files."

log = structlog.get_logger()


@dataclass(frozen=True)
class Verdict:
    """How a step goes on: after `wait`, for want of the part `waiting_for`; or not at all, where `wait` is None.

    `error` says why in a word. `counted`: the attempt failed. `died`: a process died over it.
    """

    wait: timedelta | None
    waiting_for: str | None = None
    error: str | None = None
    counted: bool = False
    died: bool = False


AT_ONCE = Verdict(timedelta(0))


def verdict(house: House, step: Step, error: Exception) -> Verdict:
    """What becomes of a step whose attempt has ended so.

    A refusal is tried again like any failure: the same bytes were accepted once.
    """
    error = _judged(house, error)
    name, part = _named(error), _missing_part(error)
    if isinstance(error, Died):
        log.warning("died", part=error.part, detail=error.detail, deaths=step.deaths + 1)
        return after_death(house, step.deaths + 1, died=True)
    if part is not None:
        ABSENCES.missed(part, error.detail if isinstance(error, Missing) else NO_ROOM)
        return Verdict(WAIT_FOR_PART, waiting_for=part)
    if step.tries + 1 >= house.settings.attempts_max:
        log.error("gives_up", exc_info=error)
        return Verdict(None, error=name, counted=True)
    log.warning("tries_again", exc_info=error)
    wait = _pause(PATIENT_BACKOFF_S if name in {SPOILED, NO_MEMORY} else BACKOFF_S, step.tries + 1)
    return Verdict(wait, waiting_for=SPOILED if name == SPOILED else None, error=name, counted=True)


def after_death(house: House, deaths: int, *, died: bool = False) -> Verdict:
    """What becomes of a step that `deaths` processes have died over; `died`: this attempt's is the last of them.

    Each was alone but the first, which does not count.
    """
    if deaths > house.settings.attempts_max:
        log.error("gives_up", deaths=deaths)
        return Verdict(None, error=DIED, died=died)
    return Verdict(_pause(DEATH_BACKOFF_S, deaths), error=DIED, died=died)


def _pause(backoff_s: tuple[int, ...], number: int) -> timedelta:
    """The wait after the first, second, ... time."""
    return timedelta(seconds=backoff_s[min(number, len(backoff_s)) - 1])


def _judged(house: House, error: Exception) -> Exception:
    """The error itself, or the part that is away: a store that spoils even what it is just given is not believed."""
    if (database := away.missing(error)) is not None:
        return database
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
