"""How loud a sound is to people (EBU R 128, ITU-R BS.1770), and the gain that makes bubbles equally loud."""

import math
from collections.abc import Iterable

import numpy as np
from av.audio.frame import AudioFrame

from bubbles.audio.filters import PCM_RATE_HZ, frames, samples, through

TARGET_LUFS = -16.0
"""What podcasts aim at, for mono through earphones or a telephone's speaker."""

FLOOR_LUFS = -70.0
"""BS.1770 counts nothing below its absolute gate; silence measures as this."""

FLOOR_DBTP = -120.0

GAIN_MAX_DB = TARGET_LUFS - FLOOR_LUFS
"""All that has a loudness reaches the target; what has none gets no more gain than the faintest that has."""

NEAR_ENOUGH_LU = 0.3
ROUNDS_MAX = 4

BLOCK_S = 0.4
"""BS.1770 measures blocks of 0.4 s: a shorter sound has no loudness of its own, so it is measured repeated."""


def integrated_lufs(pcm: bytes) -> float:
    """Integrated loudness of mono s16le at 48 kHz: finite, -70 or more."""
    if not pcm:
        return FLOOR_LUFS
    short = len(pcm) < BLOCK_S * PCM_RATE_HZ * 2
    sound = pcm * math.ceil(PCM_RATE_HZ * 2 / len(pcm)) if short else pcm
    lufs = FLOOR_LUFS
    for frame in through(frames(sound), ("ebur128", {"metadata": "1"})):
        lufs = float(frame.metadata.get("lavfi.r128.I", lufs))
    return max(lufs, FLOOR_LUFS) if math.isfinite(lufs) else FLOOR_LUFS


def true_peak_dbtp(sound: Iterable[AudioFrame]) -> float:
    """The highest point between the samples too: four times oversampled, as BS.1770 annex 2 has it. -120 or more."""
    oversampled = through(sound, ("aformat", {"sample_fmts": "flt", "sample_rates": str(4 * PCM_RATE_HZ)}))
    highest = max((_highest(frame) for frame in oversampled), default=0.0)
    return max(20 * math.log10(highest), FLOOR_DBTP) if highest > 0 else FLOOR_DBTP


def _highest(frame: AudioFrame) -> float:
    return float(np.abs(np.frombuffer(samples(frame), dtype=np.float32)).max(initial=0.0))


def made_equal(pcm: bytes, ceiling_dbfs: float) -> bytes:
    """The sound at -16 LUFS, with no sample above the ceiling; quieter where that would take more than 54 dB.

    The limiter takes away some of what the gain gave, so that what comes out is measured and the gain corrected.
    """
    gain_db = min(TARGET_LUFS - integrated_lufs(pcm), GAIN_MAX_DB)
    for _ in range(ROUNDS_MAX):
        louder = _limited(pcm, gain_db, ceiling_dbfs)
        missing_lu = TARGET_LUFS - integrated_lufs(louder)
        if abs(missing_lu) <= NEAR_ENOUGH_LU or gain_db == GAIN_MAX_DB:
            break
        gain_db = min(gain_db + missing_lu, GAIN_MAX_DB)
    return louder


def _limited(pcm: bytes, gain_db: float, ceiling_dbfs: float) -> bytes:
    limiter = {
        "limit": f"{10 ** (ceiling_dbfs / 20):.6f}",
        "attack": "5",
        "release": "50",
        "level": "0",
        "latency": "1",
    }
    # A filter of its own gives the gain: the limiter's ends at 36 dB.
    gain = {"volume": f"{gain_db:.3f}dB", "precision": "double"}
    steps = ("volume", gain), ("alimiter", limiter), ("aformat", {"sample_fmts": "s16"})
    return b"".join(samples(frame) for frame in through(frames(pcm), *steps))
