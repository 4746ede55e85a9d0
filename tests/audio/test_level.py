"""How strong a signal is, and what counts as silence."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from soundmaking import tone

from bubbles.audio.level import Level, measure, require_sound
from bubbles.errors import Code, Refused

RATE_HZ = 48_000


def test_a_sine_is_measured_as_the_book_says() -> None:
    level = measure(tone(2, amplitude=0.5).tobytes(), RATE_HZ)
    assert level.peak_dbfs == pytest.approx(-6.02, abs=0.05)
    assert level.rms_dbfs == pytest.approx(-9.03, abs=0.05)
    assert level.loudest_tenth_dbfs == pytest.approx(-9.03, abs=0.1)
    assert level.silent_share == 0


def test_silence_has_finite_numbers() -> None:
    assert measure(bytes(96_000), RATE_HZ) == Level(-120, -120, -120, 1)
    assert measure(b"", RATE_HZ) == Level(-120, -120, -120, 1)


def test_one_word_in_a_long_silence_is_found() -> None:
    pcm = bytes(9 * 96_000) + tone(1, amplitude=0.1).tobytes()
    level = measure(pcm, RATE_HZ)
    assert level.silent_share == pytest.approx(0.9)
    assert level.loudest_tenth_dbfs == pytest.approx(-23, abs=0.2)
    require_sound(level, -60)


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
def test_any_sound_has_numbers_in_range(samples: list[int], rate_hz: int) -> None:
    level = measure(np.array(samples, dtype="<i2").tobytes(), rate_hz)
    for dbfs in (level.peak_dbfs, level.rms_dbfs, level.loudest_tenth_dbfs):
        assert math.isfinite(dbfs)
        assert -120 <= dbfs <= 0
    assert level.rms_dbfs <= level.peak_dbfs
    assert 0 <= level.silent_share <= 1
