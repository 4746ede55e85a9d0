"""How strong the signal is, so that a recording with nothing on it is refused while its author can still act."""

import math
import warnings

from bubbles.errors import Code, Refused

with warnings.catch_warnings():
    # pydub looks for an ffmpeg to open files with; it is only given samples here.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.utils import make_chunks

FLOOR_DBFS = -120.0
"""Stands for no signal at all, whose level would be minus infinity."""

TENTH_MS = 100


def measure(pcm: bytes, rate_hz: int) -> float:
    """The mean level of the loudest tenth of a second of mono s16le, in dB below full scale: -120 to 0."""
    sound = AudioSegment(data=pcm[: len(pcm) // 2 * 2], sample_width=2, frame_rate=rate_hz, channels=1)
    tenths_dbfs = (_finite(tenth.dBFS) for tenth in make_chunks(sound, TENTH_MS) if tenth.raw_data)
    return max(tenths_dbfs, default=FLOOR_DBFS)


def require_sound(loudest_tenth_dbfs: float, threshold_dbfs: float) -> None:
    """Raises Refused (`silent`) when no tenth of a second is above the threshold."""
    if loudest_tenth_dbfs <= threshold_dbfs:
        raise Refused(Code.SILENT, "This recording is silent. Was the microphone muted, or another one chosen?")


def _finite(dbfs: float) -> float:
    return min(max(dbfs, FLOOR_DBFS), 0.0) if not math.isnan(dbfs) else FLOOR_DBFS
