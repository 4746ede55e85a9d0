"""How strong a signal is, and what counts as silence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from soundmaking import tone

from bubbles.audio.level import measure, require_sound
from bubbles.errors import Code, Refused

RATE_HZ = 48_000


def test_a_sine_is_measured_as_the_book_says() -> None:
    assert measure(tone(2, amplitude=0.5).tobytes(), RATE_HZ) == pytest.approx(-9.03, abs=0.1)


@pytest.mark.parametrize("pcm", [bytes(96_000), b"", b"\x01"])
def test_silence_has_a_finite_level(pcm: bytes) -> None:
    assert measure(pcm, RATE_HZ) == -120


def test_one_word_in_a_long_silence_is_found() -> None:
    pcm = bytes(9 * 96_000) + tone(1, amplitude=0.1).tobytes()
    loudest_dbfs = measure(pcm, RATE_HZ)
    assert loudest_dbfs == pytest.approx(-23, abs=0.2)
    require_sound(loudest_dbfs, -60)


@pytest.mark.parametrize(("amplitude", "silent"), [(0.0, True), (0.0005, True), (0.01, False), (1.0, False)])
def test_what_stays_under_the_threshold_is_silent(amplitude: float, silent: bool) -> None:
    level = measure(tone(1, amplitude=amplitude).tobytes(), RATE_HZ)
    if not silent:
        return require_sound(level, -60)
    with pytest.raises(Refused) as refused:
        require_sound(level, -60)
    assert refused.value.code is Code.SILENT
    return None


@given(st.lists(st.integers(-32_768, 32_767), max_size=2_000), st.sampled_from([8_000, 16_000, 48_000]))
def test_any_sound_has_a_level_in_range(samples: list[int], rate_hz: int) -> None:
    assert -120 <= measure(np.array(samples, dtype="<i2").tobytes(), rate_hz) <= 0
