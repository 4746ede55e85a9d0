"""Transcribing again, when only the rendition is left: an AAC frame longer than the recording, at the very limit."""

import math
import struct
from pathlib import Path

from bubbles.audio import sandbox
from bubbles.audio.press import press
from bubbles.transcribe import FRAME_SLACK_S, once_accepted

LIMITS = sandbox.Limits(duration_max_s=2.0, tolerance_s=0.5)
LONGEST_S = LIMITS.duration_max_s + LIMITS.tolerance_s


def test_a_rendition_of_the_longest_recording_is_heard_again(tmp_path: Path):
    count = int(LONGEST_S * sandbox.PCM_RATE_HZ)
    pcm = b"".join(struct.pack("<h", int(8000 * math.sin(n / 20))) for n in range(count))
    for made in press(pcm, tmp_path, deadline_s=60):
        assert abs(sandbox.decode(made.path, once_accepted(LIMITS)).duration_s - LONGEST_S) < FRAME_SLACK_S
