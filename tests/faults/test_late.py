"""What comes late, of an attempt that was overtaken meanwhile, takes nothing from the one that came after."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bubbles import moderation, pipeline, upkeep
from bubbles.app import House
from bubbles.blobs.store import BlobStore
from bubbles.db import bubbles
from bubbles.model.bubble import Bubble, State
from bubbles.model.step import StepName
from bubbles.speech.transcriber import FakeTranscriber, Heard, Samples
from tests.faults.conftest import NAME, state_of, step_of


class Late:
    """A store that does what is asked after the deed was done, as when its worker froze or the request lay somewhere.

    `call` is what is late, once: all else goes through.
    """

    def __init__(self, store: BlobStore, call: str, deed: Callable[[], None]) -> None:
        self._store = store
        self._call = call
        self._deed = deed

    def __getattr__(self, name: str) -> Any:
        if name == self._call:
            self._call = ""
            self._deed()
        return getattr(self._store, name)


def late(house: House, call: str, deed: Callable[[], None]) -> House:
    """The house, for a worker whose store is late."""
    return replace(house, blobs=Late(house.blobs, call, deed))  # type: ignore[arg-type] # as one


def sound_of(house: House, bubble: Bubble) -> set[str]:
    return {key for key in house.blobs.keys("renditions/") if bubble.code in key}


def named_of(house: House, bubble: Bubble) -> set[str]:
    """The sound that rows name."""
    with house.database.transaction() as session:
        return {made.blob_key for made in bubbles.renditions(session, bubble.id)}


def test_what_an_overtaken_attempt_stores_late_takes_nothing_from_the_one_that_came_after(
    house: House, bubble: Bubble
) -> None:
    def meanwhile() -> None:
        pipeline.run_step(house, NAME, bubble.id)

    pipeline.run_step(late(house, "put", meanwhile), NAME, bubble.id)
    upkeep.discard(house.database, house.blobs, now=house.now() + upkeep.LEFTOVER_AGE)
    kept = named_of(house, bubble)
    assert len(kept) == 2
    assert sound_of(house, bubble) == kept
    assert step_of(house, bubble).attempt == 2


def test_a_clock_that_is_hours_ahead_has_nothing_deleted_that_is_being_stored(house: House, bubble: Bubble) -> None:
    def elsewhere() -> None:
        upkeep.discard(house.database, house.blobs, now=house.now() + timedelta(hours=3))

    pipeline.run_step(late(house, "put", elsewhere), NAME, bubble.id)
    assert state_of(house, bubble) is State.PLAYABLE
    assert len(sound_of(house, bubble)) == 2


def test_a_deletion_that_comes_late_takes_nothing_from_the_attempt_that_came_after(
    house: House, bubble: Bubble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile() -> None:
        upkeep.discard(house.database, house.blobs, now=house.now() + upkeep.LEFTOVER_AGE)
        pipeline.run_step(house, NAME, bubble.id)

    with monkeypatch.context() as broken:
        broken.setattr("bubbles.normalise._publish", lambda *_, **__: 1 / 0)
        pipeline.run_step(house, NAME, bubble.id)
    assert len(sound_of(house, bubble)) == 2
    frozen = late(house, "delete", meanwhile)
    upkeep.discard(frozen.database, frozen.blobs, now=house.now() + upkeep.LEFTOVER_AGE)
    kept = named_of(house, bubble)
    assert len(kept) == 2
    assert sound_of(house, bubble) == kept


def test_what_an_overtaken_attempt_stores_after_a_withdrawal_is_deleted(house: House, bubble: Bubble) -> None:
    def meanwhile() -> None:
        pipeline.run_step(house, NAME, bubble.id)
        with house.database.transaction() as session:
            moderation.withdraw(session, bubble, by="operator", reason="", now=house.now())
        upkeep.discard(house.database, house.blobs, now=house.now())
        assert sound_of(house, bubble) == set()

    pipeline.run_step(late(house, "put", meanwhile), NAME, bubble.id)
    upkeep.discard(house.database, house.blobs, now=house.now())
    assert sound_of(house, bubble) == set()


class Dreamer(FakeTranscriber):
    """Hears its words, after the deed was done."""

    def __init__(self, words: str, deed: Callable[[], None]) -> None:
        super().__init__(words)
        self._deed = deed

    def transcribe(self, samples: Samples, *, language: str | None) -> Heard:
        self._deed()
        return super().transcribe(samples, language=language)


def test_what_an_overtaken_attempt_has_heard_does_not_replace_what_the_one_after_it_wrote(
    house: House, bubble: Bubble
) -> None:
    def meanwhile() -> None:
        awake = replace(house, transcriber=FakeTranscriber("the words that stay"))
        pipeline.run_step(awake, StepName.TRANSCRIBE, bubble.id)

    pipeline.run_step(house, NAME, bubble.id)
    zombie = replace(house, transcriber=Dreamer("the words of a zombie", meanwhile))
    pipeline.run_step(zombie, StepName.TRANSCRIBE, bubble.id)
    with house.database.transaction() as session:
        said = bubbles.transcript(session, bubble.id)
    assert said
    assert said.text == "the words that stay"
    assert state_of(house, bubble) is State.READY
