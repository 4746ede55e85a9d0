"""A database with whatever a test publishes in it; nothing stays."""

import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from bubbles import ids
from bubbles.db import search
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.cue import Cue
from bubbles.model.place import Place, PlaceRole, Precision
from bubbles.model.transcript import Transcript, as_json

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
Publish = Callable[..., Bubble]


@pytest.fixture
def publish(session: Session) -> Publish:
    """Makes a bubble that is found; each a minute after the one before unless `at` says when."""
    minutes = itertools.count()
    channels = {"ann": _channel(session, "ann")}  # made here: a test that undoes its bubbles keeps it

    def publish(
        title: str = "",
        said: str | Sequence[Cue] = (),
        *,
        language: str | None = None,
        heard: str | None = None,
        where: tuple[float, float] | None = None,
        at: datetime | None = None,
        channel: str = "ann",
        **columns: Any,
    ) -> Bubble:
        at = at or START + timedelta(minutes=next(minutes))
        if channel not in channels:
            channels[channel] = _channel(session, channel)
        bubble = Bubble(
            code=ids.new_code(), title=title, language=language, channel_id=channels[channel].id, duration_s=60.0,
            author_id=1, recording_sha256="0", recording_bytes=1, recorded_at=at, created_at=at,
            **{"playable_at": at, "tags": [], **columns},
        )  # fmt: skip
        bubble.author_id = channels[channel].id  # the account has the same number
        bubble.place = Place(*where, 0.0, Precision.EXACT, PlaceRole.ABOUT) if where else None
        session.add(bubble)
        session.flush()
        transcript = _transcript(bubble, said, heard or language) if said else None
        if transcript:
            session.add(transcript)
            session.flush()
        search.index(session, bubble, transcript)
        return bubble

    return publish


def _channel(session: Session, handle: str) -> Channel:
    account = Account(handle=handle, created_at=START)
    session.add(account)
    session.flush()
    channel = Channel(id=account.id, handle=handle, title=handle, created_at=START)
    session.add(channel)
    session.flush()
    return channel


def _transcript(bubble: Bubble, said: str | Sequence[Cue], language: str | None) -> Transcript:
    cues = [Cue(0.0, 5.0, said)] if isinstance(said, str) else list(said)
    assert bubble.id is not None
    return Transcript(bubble_id=bubble.id, language=language, cues=as_json(cues), created_at=START)
