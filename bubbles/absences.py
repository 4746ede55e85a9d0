"""What is away, said once: when a part is first missed, again every few minutes with how often, and when it is back.

Fifty steps that wait for a store look for it a hundred times a minute; a log that says so each time tells no more, and
hides the rest.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Timer

import structlog

SAY_AGAIN_S = 300.0
"""How often a part that stays away is told of."""

QUIET_S = 90.0
"""A part is back when it has worked and nobody has missed it for so long: longer than from one try of what waits, or of
what runs by itself, to the next. One that works by halves is not."""

PARTS_MAX = 16
OTHER = "other"

log = structlog.get_logger()


@dataclass
class _Absence:
    since_s: float
    said_s: float
    missed_s: float
    times: int = 0
    """How often it was missed since that was last said."""

    timer: Timer | None = field(default=None, repr=False)


class Absences:
    """Of one process; any thread may tell. It remembers `PARTS_MAX` parts at most, whatever it is told."""

    def __init__(
        self, *, again_s: float = SAY_AGAIN_S, quiet_s: float = QUIET_S, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._again_s, self._quiet_s, self._now_s = again_s, quiet_s, now_s
        self._away: dict[str, _Absence] = {}
        self._lock = Lock()

    def missed(self, part: str, detail: str) -> None:
        """Somebody needed the part in vain. `detail` is a sentence of ours that says what to do."""
        now_s = self._now_s()
        with self._lock:
            part = part if part in self._away or len(self._away) < PARTS_MAX - 1 else OTHER
            absence = self._away.get(part)
            if absence is None:
                self._away[part] = _Absence(now_s, now_s, now_s)
                told = None
            else:
                absence.missed_s, absence.times = now_s, absence.times + 1
                if now_s - absence.said_s < self._again_s:
                    return
                told = {"times": absence.times, "for_s": round(now_s - absence.since_s)}
                absence.said_s, absence.times = now_s, 0
        if told is None:
            log.warning("missing", part=part, detail=detail)
        else:
            log.warning("still_missing", part=part, detail=detail, **told)

    def worked(self, *parts: str) -> None:
        """These parts did what they are for."""
        for part in parts:
            if part in self._away:
                self._look_later(part)

    def _look_later(self, part: str) -> None:
        with self._lock:
            absence = self._away.get(part)
            if absence is None or absence.timer:
                return
            absence.timer = Timer(self._quiet_s, self._settle, args=(part, self._now_s()))
            absence.timer.daemon = True
            absence.timer.start()

    def _settle(self, part: str, worked_s: float) -> None:
        with self._lock:
            absence = self._away[part]
            absence.timer = None
            if absence.missed_s > worked_s:
                return
            del self._away[part]
        log.info("back", part=part, times=absence.times, for_s=round(absence.missed_s - absence.since_s))


ABSENCES = Absences()
"""This process's."""
