"""Stretches of a recording: which parts are kept for Whisper, and when a moment of the kept sound really was. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from bubbles.speech.transcriber import RATE_HZ, Samples


class Stretch(NamedTuple):
    """Part of a recording, in samples at 16 kHz, `end` not included."""

    start: int
    end: int


def widened(stretches: Sequence[Stretch], *, by_s: float, length: int) -> list[Stretch]:
    """The stretches with `by_s` seconds more on both sides, joined where they touch, inside 0 to `length`."""
    more = round(by_s * RATE_HZ)
    wide: list[Stretch] = []
    for start, end in stretches:
        touches = wide and start - more <= wide[-1].end
        first = wide.pop().start if touches else max(0, start - more)
        wide.append(Stretch(first, min(length, end + more)))
    return wide


def cut(samples: Samples, stretches: Sequence[Stretch]) -> Samples:
    """The sound of the stretches, one after the other."""
    return np.concatenate([samples[start:end] for start, end in stretches])


def overlap_s(stretches: Sequence[Stretch], start_s: float, end_s: float) -> float:
    """How many seconds between the two moments lie in the stretches."""
    start, end = start_s * RATE_HZ, end_s * RATE_HZ
    return sum(max(0.0, min(end, stretch.end) - max(start, stretch.start)) for stretch in stretches) / RATE_HZ


class Timeline:
    """Leads from times in the cut sound back to times in the recording."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = stretches
        lengths = [end - start for start, end in stretches]
        self._begins = [0, *accumulate(lengths)][: len(lengths)]

    def back(self, start_s: float, end_s: float) -> tuple[float, float]:
        """When it was, in seconds. What spans a joint belongs where its middle lies, so that it keeps its length."""
        middle = round((start_s + end_s) / 2 * RATE_HZ)
        at = max(0, bisect_right(self._begins, middle) - 1)
        first, last = self._stretches[at]
        shift = first - self._begins[at]
        return (
            _inside(start_s * RATE_HZ + shift, first, last) / RATE_HZ,
            _inside(end_s * RATE_HZ + shift, first, last) / RATE_HZ,
        )


def _inside(at: float, first: int, last: int) -> float:
    return min(max(at, first), last)
