"""PCM as Whisper wants it."""

import numpy as np
from numpy.typing import NDArray

from bubbles.audio.filters import frames, samples, through

WHISPER_RATE_HZ = 16_000


def resample_16k(pcm: bytes) -> NDArray[np.float32]:
    """Mono s16le at 48 kHz as float32 in -1..1 at 16 kHz, one dimension."""
    shape = ("aformat", {"sample_fmts": "flt", "sample_rates": str(WHISPER_RATE_HZ)})
    sound = b"".join(samples(frame) for frame in through(frames(pcm), shape))
    # The low-pass rings past full scale where a sound clips.
    return np.clip(np.frombuffer(sound, dtype=np.float32), -1.0, 1.0)
