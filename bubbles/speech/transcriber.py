"""What a transcriber is, and one that says given words, for tests that need speed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bubbles.model.cue import Cue
from bubbles.model.texts import primary_subtag

RATE_HZ = 16_000

Samples = NDArray[np.float32]
"""Mono sound at 16 kHz, shape (n,), between -1 and 1."""


@dataclass(frozen=True)
class Engine:
    """What a model runs on (`cpu`, `cuda`, `auto`) and the numbers that it computes with, in CTranslate2's words."""

    device: str = "cpu"
    compute_type: str = "int8"


ON_CPU = Engine()


@dataclass(frozen=True)
class Heard:
    """What was heard in a recording.

    `cues` are in order, inside the recording, none without words; empty when nobody speaks. `language` is the code
    that Whisper uses, the primary subtag of BCP 47, None when nobody speaks; `language_probability` lies in 0 to 1
    and is 1 for a language that was asked for; `language_doubtful` says that it was guessed and may be wrong.
    `model` names the model.
    """

    cues: tuple[Cue, ...]
    language: str | None
    language_probability: float
    language_doubtful: bool
    model: str


class Transcriber(Protocol):
    """Turns sound into words."""

    def transcribe(self, samples: Samples, *, language: str | None) -> Heard:
        """What is said in `samples`; `language` is the author's BCP 47 tag, None to have it guessed.

        A language that the model does not know is guessed too. Raises `Missing("model")`, `Missing("memory")`, and
        TimeoutError past the transcriber's deadline.
        """

    def close(self) -> None:
        """Give back memory and processes. May be called twice; the next transcription opens it again."""


class FakeTranscriber:
    """Hears the given words in any sound that is not silent, spread evenly over its length."""

    def __init__(self, words: str = "hello from a bubble", *, language: str = "en", words_per_cue: int = 5) -> None:
        self._words = words.split()
        self._language = language
        self._words_per_cue = words_per_cue

    def transcribe(self, samples: Samples, *, language: str | None) -> Heard:
        """The given words; no cues for sound without any."""
        if not self._words or not np.any(samples):
            return Heard((), None, 0.0, language_doubtful=False, model="fake")
        duration_s = len(samples) / RATE_HZ
        spoken = primary_subtag(language) or self._language
        return Heard(self._cues(duration_s), spoken, 1.0, language_doubtful=False, model="fake")

    def _cues(self, duration_s: float) -> tuple[Cue, ...]:
        lines = [" ".join(line) for line in _groups(self._words, self._words_per_cue)]
        step_s = duration_s / len(lines)
        return tuple(Cue(step_s * at, min(step_s * (at + 1), duration_s), line) for at, line in enumerate(lines))

    def close(self) -> None:
        """Nothing to give back."""


def _groups(words: Sequence[str], size: int) -> list[Sequence[str]]:
    return [words[at : at + size] for at in range(0, len(words), size)]
