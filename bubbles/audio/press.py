"""Renditions pressed by a process of its own (`pressing.py`): one that hangs, dies or eats memory ends alone."""

import json
import subprocess
from pathlib import Path

from bubbles.audio.renditions import Encoded
from bubbles.config import PYTHON
from bubbles.errors import Died
from bubbles.machine import FROM_OUTSIDE


def press(pcm: bytes, folder: Path, *, deadline_s: float) -> list[Encoded]:
    """What `render` makes of mono s16le at 48 kHz, in `folder`.

    Raises `TimeoutError` at the deadline, `Died("encoder")` when the process is ended from outside, and
    `subprocess.CalledProcessError` when it fails.
    """
    source = folder / "sound.pcm"
    source.write_bytes(pcm)
    command = [*PYTHON, "-m", "bubbles.audio.pressing", str(source)]
    try:
        # What it complains of is no line of a log, and may hold what was sent.
        ran = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=deadline_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"The renditions were not made within {deadline_s:g} s.") from None
    finally:
        source.unlink()
    if -ran.returncode in FROM_OUTSIDE:
        raise Died("encoder", "The process that makes renditions was ended from outside.")
    ran.check_returncode()
    return [Encoded(**each | {"path": Path(each["path"])}) for each in json.loads(ran.stdout)]
