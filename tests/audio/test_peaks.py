"""The outline of a sound."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from soundmaking import tone

from bubbles.audio.peaks import peaks


@given(st.lists(st.integers(-32_768, 32_767), max_size=1_000), st.integers(1, 400))
def test_there_are_as_many_as_asked_and_the_loudest_is_full(samples: list[int], count: int) -> None:
    heights = peaks(np.array(samples, dtype="<i2").tobytes(), count)
    assert len(heights) == count
    assert all(isinstance(height, int) and 0 <= height <= 255 for height in heights)
    assert max(heights) == (255 if any(samples) else 0)


def test_two_hundred_is_the_default() -> None:
    assert len(peaks(tone(1).tobytes())) == 200
    assert peaks(b"") == [0] * 200


def test_silence_is_flat_and_sound_is_not() -> None:
    heights = peaks(bytes(96_000) + tone(1).tobytes(), 10)
    assert heights[:5] == [0] * 5
    assert heights[5:] == [255] * 5


def test_half_as_loud_is_far_from_half_as_high() -> None:
    """Ten decibels less is heard as half as loud, and drawn a quarter lower."""
    heights = peaks(tone(1, amplitude=0.9).tobytes() + tone(1, amplitude=0.9 / 10**0.5).tobytes(), 2)
    assert heights == [255, 191]


def test_fewer_samples_than_parts_share_them() -> None:
    assert peaks(np.array([1_000, 0], dtype="<i2").tobytes(), 4) == [255, 255, 0, 0]
