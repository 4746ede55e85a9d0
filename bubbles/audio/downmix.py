"""Two channels become one without losing either: opposite channels must not cancel to silence."""

import numpy as np
from numpy.typing import NDArray

CANCELLED_RATIO = 0.25
"""A mix under a quarter (-12 dB) of the louder channel has cancelled; one silent channel alone costs only 6 dB."""


BLOCK_SAMPLES = 1 << 16


def to_mono(pcm: memoryview, channels: int) -> bytes:
    """The mean of the channels, or the louder one where they cancel. `pcm` is interleaved s16le, 1 or 2 channels."""
    samples = np.frombuffer(pcm, dtype="<i2", count=len(pcm) // (2 * channels) * channels)
    if channels == 1:
        return bytes(samples.tobytes())
    left, right = samples[::2], samples[1::2]
    # The mean without the carry: (a & b) + ((a ^ b) >> 1) stays within 16 bits.
    mix = (left & right) + ((left ^ right) >> 1)
    loudest = max(_power(left), _power(right))
    if _power(mix) < CANCELLED_RATIO**2 * loudest:
        mix = left if _power(left) == loudest else right
    return bytes(mix.tobytes())


def _power(samples: NDArray[np.int16]) -> float:
    """Sum of squares, taken in blocks: two minutes as floats would be 46 MB."""
    blocks = (samples[at : at + BLOCK_SAMPLES].astype(np.float32) for at in range(0, samples.size, BLOCK_SAMPLES))
    return sum(float(np.dot(block, block)) for block in blocks)
