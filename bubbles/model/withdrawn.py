"""What is left of a withdrawn bubble's row, column by column; a test holds that no column is forgotten.

A column that cannot be null gets a neutral value, so that the release before reads the row as it reads any.
"""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from bubbles.model.bubble import Bubble

EMPTIED: Mapping[str, Any] = {
    "title": "",
    "tags": [],
    "language": None,
    "latitude": None,
    "longitude": None,
    "radius_m": None,
    "precision": None,
    "place_role": None,
    "peaks": None,
    "recording_key": None,
    "recording_sha256": "",
    "recording_bytes": 0,
    "keep_recording": False,
    "playable_at": None,
    "ready_at": None,
    "failed_at": None,
    "refused_at": None,
    "refused_reason": None,
}
"""Of the voice, or of how it came: gone, with the value that stands in its place."""

COARSENED: Mapping[str, str] = {
    "created_at": "lists of what was withdrawn are ordered by it: the day is left",
    "recorded_at": "cannot be null: the day that created_at holds, which says nothing more",
}
"""Moments of which a day is left."""

KEPT: Mapping[str, str] = {
    "id": "rows of what was heard name it",
    "code": "the link says that there is nothing; the mark for backups names it",
    "channel_id": "the team sees that it was withdrawn; figures of the channel count what was heard",
    "author_id": "whoever sends the upload again under its key is told that it was withdrawn",
    "version": "a change that was under way meets a stale If-Match",
    "visibility": "figures are told by it",
    "licence": "what others may do with the copies that they took",
    "consent_version": "which terms the author had agreed to",
    "duration_s": "what was heard is measured against it",
    "held_at": "what a moderator did, and why: theirs to answer for",
    "held_by": "as held_at",
    "held_reason": "as held_at",
    "released_at": "as held_at",
    "released_by": "as held_at",
    "released_reason": "as held_at",
    "withdrawn_at": "that it is withdrawn; the mark for backups says when",
    "withdrawn_by": "who did it",
    "withdrawn_reason": "why",
    "listed": "computed: false",
}
"""What stays, and why."""


def empty(bubble: Bubble) -> None:
    """Lets go of everything in the row but what is kept."""
    for name, nothing in EMPTIED.items():
        setattr(bubble, name, list(nothing) if isinstance(nothing, list) else nothing)
    day = bubble.created_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    bubble.created_at = bubble.recorded_at = day
