"""`bubbles sweep`: what is removed, and what waits for a word."""

import hashlib
import os
import time
from datetime import datetime
from pathlib import Path

import pytest

from bubbles.app import House
from bubbles.blobs.disk import DiskStore
from bubbles.db import chores, discards
from bubbles.errors import Missing
from bubbles.model.chore import Chore
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


def rows(house: House) -> dict[str, Chore]:
    with house.database.transaction() as session:
        return {chore.name: chore for chore in chores.latest(session)}


def test_what_is_done_by_hand_is_seen_as_what_runs_by_itself_is(run: Run, house: House) -> None:
    with house.database.transaction() as session:
        discards.add(session, ["renditions/BBBBBBBBBBBBBBBB/gone.ogg"], house.now())
    before = house.now()
    assert run("sweep").status == 0
    told = rows(house)
    assert {name for name, chore in told.items() if chore.ran_at >= before} == {"sweep", "orphans", "discard"}
    assert told["discard"].latest == {"blobs": 1}


def test_a_store_that_is_away_ends_the_command_and_is_seen(
    run: Run, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DiskStore, "sweep", away)
    ran = run("sweep")
    assert (ran.status, ran.out) == (1, "")
    assert "mount it" in ran.err
    swept = rows(house)["sweep"]
    assert swept.failed_at == swept.ran_at


def away(store: DiskStore, *, before: datetime) -> int:
    raise Missing("store", "mount it")


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))
