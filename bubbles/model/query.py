"""A question to the house: which bubbles, in which order."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bubbles.errors import Code, Refused
from bubbles.model.place import EXACT_DECIMALS, require_coordinates

TEXT_MAX = 200
LIMIT_MAX = 100
LIMIT_DEFAULT = 20
RADIUS_MIN_M = 1.0
RADIUS_MAX_M = 20_100_000.0
"""A little more than half around the earth."""


class Sort(StrEnum):
    """The order of what is found. Equals stand newest first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NEAREST = "nearest"
    RELEVANCE = "relevance"


@dataclass(frozen=True)
class Box:
    """Degrees; `west` lies east of `east` when the box crosses the antimeridian. Raises `bad_place`."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        require_coordinates(self.south, self.west)
        require_coordinates(self.north, self.east)
        if self.south > self.north:
            raise Refused(Code.BAD_PLACE, "bbox is west,south,east,north: its south lies north of its north.")


@dataclass(frozen=True)
class Query:
    """Which bubbles, all conditions together; only listed ones are ever found.

    `q` as a person types it: words, `"a phrase"`, `-without`, `one OR other`. `near` is latitude and
    longitude in degrees, kept to 0.1 m as places are; `radius_m` counts from there.
    `language` is a BCP 47 tag in the form of `clean_language`; `pt` finds `pt-BR` too. All of `tags` must be there.
    `channel` is a handle. Published from `since` on, and before `until`. `order` None: nearest first when there is
    `near` without a radius, else by relevance when there are words, else newest first. `cursor` is the `next` of the
    page before. Raises `bad_request` and `bad_place`.
    """

    q: str = ""
    near: tuple[float, float] | None = None
    radius_m: float | None = None
    bbox: Box | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    order: Sort | None = None
    limit: int = field(default=LIMIT_DEFAULT, compare=False)
    cursor: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "q", self.q.strip())
        self._require_text_and_limit()
        if self.near is not None:
            require_coordinates(*self.near)
            object.__setattr__(self, "near", tuple(round(degrees, EXACT_DECIMALS) for degrees in self.near))
        self._require_radius()
        if self.order is Sort.NEAREST and self.near is None:
            raise Refused(Code.BAD_REQUEST, "sort=nearest needs near=latitude,longitude.")
        if self.order is Sort.RELEVANCE and not self.q:
            raise Refused(Code.BAD_REQUEST, "sort=relevance needs words in q.")

    def _require_text_and_limit(self) -> None:
        if len(self.q) > TEXT_MAX:
            raise Refused(Code.BAD_REQUEST, f"q has {len(self.q)} characters; at most {TEXT_MAX} are allowed.")
        if not 1 <= self.limit <= LIMIT_MAX:
            raise Refused(Code.BAD_REQUEST, f"limit must be a whole number from 1 to {LIMIT_MAX}.")

    def _require_radius(self) -> None:
        if self.radius_m is None:
            return
        if self.near is None:
            raise Refused(Code.BAD_REQUEST, "radius_m needs near=latitude,longitude.")
        if not math.isfinite(self.radius_m) or not RADIUS_MIN_M <= self.radius_m <= RADIUS_MAX_M:
            raise Refused(
                Code.BAD_PLACE, f"radius_m must lie between {RADIUS_MIN_M:.0f} and {RADIUS_MAX_M:.0f} metres."
            )

    @property
    def sort(self) -> Sort:
        """The order in force."""
        if self.order is not None:
            return self.order
        if self.near is not None and self.radius_m is None:
            return Sort.NEAREST
        return Sort.RELEVANCE if self.q else Sort.NEWEST
