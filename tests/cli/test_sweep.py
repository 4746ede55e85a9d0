"""`bubbles sweep`: what is removed, and what waits for a word."""

import hashlib
import os
import time
from pathlib import Path

from bubbles.app import House
from tests.cli.conftest import Ran, Run

TWO_DAYS_S = 2 * 24 * 3600


def test_what_is_left_is_removed_and_counted(run: Run, house: House) -> None:
    left = house.settings.data_dir / "work" / "left"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"x")
    age(left, TWO_DAYS_S)
    assert run("sweep") == Ran(0, "Removed: 1 files, 0 recordings, 0 orphans\n", "")
    assert run("sweep") == Ran(0, "Removed: 0 files, 0 recordings, 0 orphans\n", "")


def test_what_may_be_a_lost_row_waits_for_a_word(run: Run, house: House, tmp_path: Path) -> None:
    source = tmp_path / "sound"
    source.write_bytes(b"x")
    key = "renditions/AAAAAAAAAAAAAAAA/sound.ogg"
    house.blobs.put(key, source, sha256=hashlib.sha256(b"x").hexdigest(), content_type="audio/ogg")
    age(house.settings.data_dir / "blobs" / key, 5 * TWO_DAYS_S)
    ran = run("sweep")
    assert ran.status == 1
    assert "No row names 1 blobs" in ran.err
    assert key in house.blobs.keys("renditions/")
    assert run("sweep", "--orphans").out == "Removed: 0 files, 0 recordings, 1 orphans\n"
    assert key not in house.blobs.keys("renditions/")


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))
