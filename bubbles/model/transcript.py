"""The words of a bubble: cues with times, as in WebVTT."""

from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, optional_instant, optional_reference, reference
from bubbles.model.cue import Cue


class TranscriptState(StrEnum):
    """Where the words stand."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    EMPTY = "empty"
    FAILED = "failed"


class Transcript(SQLModel, table=True):
    """What was said, by Whisper or corrected by the team (then `corrected_at` is set and a new run changes nothing)."""

    bubble_id: int = reference("bubble.id", part_of_key=True)
    language: str | None = None
    language_probability: float | None = None
    language_doubtful: bool = False
    model: str | None = None
    cues: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    created_at: datetime = instant()
    corrected_at: datetime | None = optional_instant()
    corrected_by: int | None = optional_reference("account.id")

    @property
    def spoken(self) -> list[Cue]:
        """All cues, in order."""
        return [Cue(**cue) for cue in self.cues]

    @property
    def text(self) -> str:
        """All that was heard, the unsure too."""
        return joined(self.spoken)

    @property
    def sure_text(self) -> str:
        """What index and JSON-LD take."""
        return joined(cue for cue in self.spoken if not cue.unsure)


def joined(cues: Any) -> str:
    """The words of cues as one text."""
    return " ".join(cue.text for cue in cues)


def as_json(cues: Any) -> list[dict[str, Any]]:
    """Cues as the database and the API keep them."""
    return [asdict(cue) for cue in cues]
