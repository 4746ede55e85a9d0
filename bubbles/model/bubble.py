"""The bubble: who, when, place, title, tags, language, visibility, and the state that follows from them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, Column, Computed, LargeBinary, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, key, optional_instant, reference
from bubbles.model.licence import Licence
from bubbles.model.place import Place, PlaceRole, Precision

LISTED_SQL = (
    "visibility = 'public' AND playable_at IS NOT NULL AND withdrawn_at IS NULL"
    " AND refused_at IS NULL AND held_at IS NULL AND failed_at IS NULL"
)
"""What lists, map, feeds and sitemap hold; a stored column, so that every index agrees on it."""


class Visibility(StrEnum):
    """Who may see a bubble: everyone, who has the link, the team."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    PRIVATE = "private"


class State(StrEnum):
    """Where a bubble stands; derived, the first that holds."""

    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    HELD = "held"
    FAILED = "failed"
    PROCESSING = "processing"
    PLAYABLE = "playable"
    READY = "ready"


class Bubble(SQLModel, table=True):
    """A voice recording of at most two minutes with a place.

    `code` is public and cannot be guessed. `version` counts the edits, for `If-Match`. `peaks` are 200 bytes, 0 to 255.
    `recording_key` names the sound as received, None once it is dropped. `consent_version` names the operator's terms
    that its author published under: 12 hex digits, or `none`. Moments are None until they come.
    """

    id: int = key()
    code: str
    channel_id: int = reference("channel.id")
    author_id: int = reference("account.id")
    version: int = 1
    title: str = ""
    tags: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False))
    language: str | None = None
    visibility: str = Visibility.PUBLIC
    licence: str = Licence.ALL_RIGHTS_RESERVED
    consent_version: str = "none"

    latitude: float | None = None
    longitude: float | None = None
    radius_m: float | None = None
    precision: str | None = None
    place_role: str | None = None

    duration_s: float
    peaks: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    recording_key: str | None = None
    recording_sha256: str
    recording_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    keep_recording: bool = False

    recorded_at: datetime = instant()
    created_at: datetime = instant()
    playable_at: datetime | None = optional_instant()
    ready_at: datetime | None = optional_instant()
    failed_at: datetime | None = optional_instant()
    held_at: datetime | None = optional_instant()
    held_by: str | None = None
    held_reason: str | None = None
    released_at: datetime | None = optional_instant()
    released_by: str | None = None
    released_reason: str | None = None
    refused_at: datetime | None = optional_instant()
    refused_reason: str | None = None
    withdrawn_at: datetime | None = optional_instant()
    withdrawn_by: str | None = None
    withdrawn_reason: str | None = None
    listed: bool | None = Field(
        default=None, sa_column=Column(Boolean, Computed(LISTED_SQL, persisted=True), nullable=True)
    )

    @property
    def state(self) -> State:
        """Where the bubble stands: the first that holds, in the order of `State`."""
        moments = (
            (State.WITHDRAWN, self.withdrawn_at),
            (State.REFUSED, self.refused_at),
            (State.HELD, self.held_at),
            (State.FAILED, self.failed_at),
            (State.PROCESSING, None if self.playable_at else self.created_at),
            (State.PLAYABLE, None if self.ready_at else self.playable_at),
        )
        return next((state for state, moment in moments if moment), State.READY)

    @property
    def shown_to_strangers(self) -> bool:
        """Whether someone who has the link, and no part in the team, sees the bubble."""
        shown = {State.PROCESSING, State.PLAYABLE, State.READY}
        return self.visibility != Visibility.PRIVATE and self.state in shown

    @property
    def is_public(self) -> bool:
        """Whether caches and search engines may keep the bubble's pages and sound."""
        return self.visibility == Visibility.PUBLIC and self.state in {State.PLAYABLE, State.READY}

    @property
    def place(self) -> Place | None:
        """Where the bubble belongs, as blurred as it is stored."""
        if self.latitude is None or self.longitude is None or self.precision is None or self.place_role is None:
            return None
        precision, role = Precision(self.precision), PlaceRole(self.place_role)
        return Place(self.latitude, self.longitude, self.radius_m or 0.0, precision, role)

    @place.setter
    def place(self, place: Place | None) -> None:
        self.latitude = place.latitude if place else None
        self.longitude = place.longitude if place else None
        self.radius_m = place.radius_m if place else None
        self.precision = place.precision if place else None
        self.place_role = place.role if place else None
