"""The outline of a sound, drawn by the player before a byte of it is loaded."""

import numpy as np

RANGE_DB = 40.0
"""Ears hear in decibels: speech spans about 40 from its loudest to a breath, and a linear outline is all spikes."""

SILENCE_POWER = 1e-20
"""Stands for no power beside the loudest part's, and is far out of range."""


def peaks(pcm: bytes, count: int = 200) -> list[int]:
    """`count` heights in 0..255 over equal parts of mono s16le; the loudest part is 255, silence is all zeros.

    Fewer samples than parts: neighbours share a sample. No samples: zeros.
    """
    samples = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2)
    if not samples.any():
        return [0] * count
    # Squares of 16 bits fit 32, and their sum 64: exact, where floats would drift over two minutes.
    power = np.concatenate(([0], np.cumsum(np.square(samples, dtype=np.int32), dtype=np.int64)))
    starts = np.arange(count) * samples.size // count
    ends = np.maximum(starts + 1, (np.arange(count) + 1) * samples.size // count)
    mean = (power[ends] - power[starts]) / (ends - starts)
    level_db = 10 * np.log10(np.maximum(mean / mean.max(), SILENCE_POWER))
    heights = np.clip(1.0 + level_db / RANGE_DB, 0.0, 1.0)
    return [int(height) for height in np.rint(heights * 255)]
