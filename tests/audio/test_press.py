"""Pressing in a process of its own: the same files, a deadline, and nothing left of the sound."""

import math
import struct
import subprocess

import pytest

from bubbles.audio.press import press
from bubbles.audio.renditions import render

PCM = b"".join(struct.pack("<h", int(8000 * math.sin(n / 20))) for n in range(48_000))


def test_it_presses_what_rendering_here_makes(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    made_here = render(PCM, here)
    made_there = press(PCM, there, deadline_s=60)
    assert [made.path.read_bytes() for made in made_there] == [made.path.read_bytes() for made in made_here]
    assert [made.minute_bytes for made in made_there] == [made.minute_bytes for made in made_here]
    assert sorted(path.name for path in there.iterdir()) == ["sound.m4a", "sound.ogg"]


def test_the_deadline_ends_it(tmp_path):
    with pytest.raises(TimeoutError):
        press(PCM, tmp_path, deadline_s=0.01)
    assert not (tmp_path / "sound.pcm").exists()


def test_a_process_that_fails_is_said(tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        press(b"", tmp_path, deadline_s=60)
