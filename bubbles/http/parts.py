"""The parts of the house, and how each is: `ok`, or a word for what is wrong. Shared by /readyz and /metrics."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette

from bubbles import disk
from bubbles.app import House
from bubbles.db import figures, towns
from bubbles.db.figures import Census, Figures
from bubbles.errors import Missing, Refused
from bubbles.http import basemap
from bubbles.http.looks import Look, together
from bubbles.pipeline import QUEUES
from bubbles.speech import models

LATE_S = 600
"""Work that a worker could do, and that waits longer than this, waits too long."""

CLOCK_OFF_S = 5.0
"""How much our clock and the database's may differ; sessions, limits and signatures of S3 go by clocks."""

CENSUS_SHARE = 100
CENSUS_KEPT_MIN_S = 15.0
"""Counting bubbles and steps is a pass over all of them: what took a second is kept for `CENSUS_SHARE` seconds."""


@dataclass(frozen=True)
class Rows:
    """What the rows tell; `places` whether the list of places is there."""

    figures: Figures
    places: bool


@dataclass(frozen=True)
class Stand:
    """How the house stands: its parts by name, in order; what the rows tell, if they can be asked.

    `disk`: free and whole bytes of the data folder's.
    """

    parts: Mapping[str, str]
    rows: Rows | None
    disk: tuple[int, int] | None
    census: Census | None
    took_s: float

    @property
    def is_ready(self) -> bool:
        """All but the database can wait."""
        return self.parts["database"] == "ok"


class Parts:
    """The looks at a house; one an application."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._looks: dict[str, Look[Any]] = {
            "rows": Look(lambda: _rows(house)),
            "store": Look(lambda: _store(house)),
            "model": Look(lambda: _model(house)),
            "basemap": Look(lambda: "ok" if basemap.is_built(house.settings) else "missing"),
            "disk": Look(lambda: disk.usage(house.settings.data_dir)),
        }
        self._census: Look[Census | None] = Look(_paced(lambda: _census(house)))

    @staticmethod
    def of(app: Starlette) -> "Parts":
        """Those of the application."""
        found: Parts = app.state.parts
        return found

    async def stand(self, *, with_census: bool = False) -> Stand:
        """How everything is, in bounded time."""
        began_s = time.perf_counter()
        seen = await together(self._looks | ({"census": self._census} if with_census else {}))
        rows = seen["rows"] if isinstance(seen["rows"], Rows) else None
        census = seen.get("census")
        room = seen["disk"] if isinstance(seen["disk"], tuple) else None
        return Stand(
            parts={
                "database": "ok" if rows else "away",
                "store": _word(seen["store"]),
                "model": _model_word(_word(seen["model"]), rows),
                "basemap": _word(seen["basemap"]),
                "places": _of_rows(rows, lambda rows: "ok" if rows.places else "missing"),
                "workers": _of_rows(rows, _unserved),
                "queue": _of_rows(rows, lambda rows: "late" if _longest_wait_s(rows) > LATE_S else "ok"),
                "disk": disk.state(room[0]) if room else "away",
                "clock": _of_rows(rows, _clock),
            },
            rows=rows,
            disk=room,
            census=census if isinstance(census, Census) else None,
            took_s=time.perf_counter() - began_s,
        )


def _word(seen: Any) -> str:
    """What a look saw; one that failed or took too long saw that the part is away."""
    return "away" if isinstance(seen, BaseException) else str(seen)


def _of_rows(rows: Rows | None, judge: Callable[[Rows], str]) -> str:
    return "away" if rows is None else judge(rows)


def _longest_wait_s(rows: Rows) -> float:
    waits = (each.oldest_s for (_, waits_for), each in rows.figures.waiting.items() if waits_for == "worker")
    return max(waits, default=0.0)


def _unserved(rows: Rows) -> str:
    """`ok`, or the queues that no living worker serves."""
    unserved = [queue for queue in QUEUES if not rows.figures.slots.get(queue)]
    return f"none for {', '.join(unserved)}" if unserved else "ok"


def _clock(rows: Rows) -> str:
    return "off" if abs(rows.figures.clock_ahead_s) > CLOCK_OFF_S else "ok"


def _model_word(here: str, rows: Rows | None) -> str:
    """A model that any worker waits for is missing, whether it is here or not."""
    wanted = rows is not None and any(waits_for == "model" for _, waits_for in rows.figures.waiting)
    return "missing" if wanted else here


# What each look does, in a thread of its own


def _rows(house: House) -> Rows:
    with house.database.glance() as session:
        return Rows(figures.figures(session, house.now()), places=_has_places(session))


def _has_places(session: Any) -> bool:
    try:
        towns.require(session)
    except Missing:
        return False
    return True


def _store(house: House) -> str:
    try:
        house.blobs.size("ready")
    except KeyError:
        return "ok"
    except (Missing, Refused):
        return "away"
    return "ok"


def _model(house: House) -> str:
    """The weights, where workers are beside us; elsewhere they are the workers' alone."""
    settings = house.settings
    if settings.workers == 0:
        return "ok"
    try:
        models.locate(settings.whisper_model, settings.models_dir)
    except Missing:
        return "missing"
    return "ok"


def _census(house: House) -> Census:
    with house.database.glance() as session:
        return figures.census(session)


def _paced(count: Callable[[], Census]) -> Callable[[], Census | None]:
    """The same, counted anew only so often that it never takes more than one part in `CENSUS_SHARE` of the time."""
    kept: Census | None = None
    next_s = 0.0

    def paced() -> Census | None:
        nonlocal kept, next_s
        began_s = time.monotonic()
        if began_s < next_s:
            return kept
        next_s = began_s + CENSUS_KEPT_MIN_S
        try:
            kept = count()
        except SQLAlchemyError:
            kept = None
        finally:
            took_s = time.monotonic() - began_s
            next_s = began_s + max(CENSUS_KEPT_MIN_S, CENSUS_SHARE * took_s)
        return kept

    return paced
