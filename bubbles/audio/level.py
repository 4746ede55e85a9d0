"""How strong the signal is, so that a recording with nothing on it is refused while its author can still act."""

import math
import warnings
from dataclasses import dataclass

from bubbles.errors import Code, Refused

with warnings.catch_warnings():
    # pydub looks for an ffmpeg to open files with; it is only given samples here.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.utils import make_chunks

FLOOR_DBFS = -120.0
"""Stands for no signal at all, whose level would be minus infinity."""

SILENCE_DBFS = -60.0
TENTH_MS = 100


@dataclass(frozen=True)
class Level:
    """Levels in dB below full scale (-120 to 0), finite always.

    `loudest_tenth_dbfs` is the mean level of the loudest tenth of a second; `silent_share` (0 to 1) the part of all
    tenths of a second whose mean level is under -60 dBFS.
    """

    peak_dbfs: float
    rms_dbfs: float
    loudest_tenth_dbfs: float
    silent_share: float


def measure(pcm: bytes, rate_hz: int) -> Level:
    """Measures mono s16le."""
    sound = AudioSegment(data=pcm[: len(pcm) // 2 * 2], sample_width=2, frame_rate=rate_hz, channels=1)
    tenths_dbfs = [_finite(tenth.dBFS) for tenth in make_chunks(sound, TENTH_MS) if tenth.raw_data] or [FLOOR_DBFS]
    silent = sum(dbfs < SILENCE_DBFS for dbfs in tenths_dbfs)
    return Level(
        peak_dbfs=_finite(sound.max_dBFS),
        rms_dbfs=_finite(sound.dBFS),
        loudest_tenth_dbfs=max(tenths_dbfs),
        silent_share=silent / len(tenths_dbfs),
    )


def require_sound(level: Level, threshold_dbfs: float) -> None:
    """Raises Refused (`silent`) when no tenth of a second is above the threshold."""
    if level.loudest_tenth_dbfs <= threshold_dbfs:
        raise Refused(Code.SILENT, "This recording is silent. Was the microphone muted, or another one chosen?")


def _finite(dbfs: float) -> float:
    return min(max(dbfs, FLOOR_DBFS), 0.0) if not math.isnan(dbfs) else FLOOR_DBFS
