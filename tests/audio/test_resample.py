"""PCM for the model that writes the words down."""

import numpy as np
import pytest
from soundmaking import tone

from bubbles.audio.resample import resample_16k


def test_a_tone_keeps_its_pitch_length_and_level() -> None:
    sound = resample_16k(tone(2, pitch_hz=1_000).tobytes())
    assert sound.dtype == np.float32
    assert sound.shape == (32_000,)
    assert np.argmax(np.abs(np.fft.rfft(sound))) == 2_000
    assert np.abs(sound[1_000:-1_000]).max() == pytest.approx(0.5, abs=0.01)


def test_what_sixteen_kilohertz_cannot_hold_does_not_fold_back() -> None:
    sound = resample_16k(tone(1, pitch_hz=12_000, amplitude=0.9).tobytes())
    assert np.abs(sound[1_000:-1_000]).max() < 0.01


def test_full_scale_stays_in_range() -> None:
    square = np.where(np.arange(48_000) // 50 % 2, 32_767, -32_768).astype("<i2")
    assert np.abs(resample_16k(square.tobytes())).max() <= 1.0


def test_no_sound_gives_none() -> None:
    assert resample_16k(b"").shape == (0,)
