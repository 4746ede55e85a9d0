"""Small files that unfold to ten hours, and headers that lie: length is what was decoded."""

import json
import subprocess
import sys
from pathlib import Path

import bombs
import pytest

from bubbles.audio.sandbox import Limits, decode
from bubbles.errors import Code

CHECKOUT = Path(__file__).parents[2]


def measured(path: Path) -> dict[str, float | str]:
    """Outcome, and the child's CPU seconds and largest RSS in MiB, taken in a small process."""
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "tests/audio/measured.py"), str(path)],
        env={"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_a_bomb_is_refused_soon_and_small(leaves_nothing: Path, name: str) -> None:
    path = leaves_nothing / "recording"
    path.write_bytes(bombs.BOMBS[name]())
    result = measured(path)
    assert result["outcome"] == (Code.NOT_AUDIO if name == "mov index" else Code.TOO_LONG)
    assert float(result["cpu_s"]) < 2  # of its own: what else is done on the machine makes no difference
    assert float(result["rss_mib"]) < 300


def test_a_header_may_promise_ten_hours(tmp_path: Path) -> None:
    path = tmp_path / "recording"
    path.write_bytes(bombs.flac_saying(bombs.TEN_HOURS_S, bombs.five_seconds(), 16_000))
    assert decode(path, Limits()).duration_s == 5
    path.write_bytes(bombs.wav(bytes(5 * 96_000), rate_hz=48_000, saying_bytes=0xFFFFFFF0))
    assert decode(path, Limits()).duration_s == 5


def test_the_index_of_a_short_movie_is_followed(tmp_path: Path) -> None:
    """So that the film bombs above fail for their length, not for being badly made."""
    path = tmp_path / "recording"
    path.write_bytes(bombs.movie(chunks=10, samples_a_chunk=8_000))
    assert decode(path, Limits()).duration_s == 10
