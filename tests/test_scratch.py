"""What a dead process left goes soon; what a living one uses stays, however old it is."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bubbles import chores, scratch, upkeep
from bubbles.app import House
from bubbles.config import Settings
from bubbles.model.times import utc_now
from tests.journey.service import wait_for

HOURS = timedelta(hours=5)
SOON = timedelta(minutes=2)
OWNER = """
import sys, time
from pathlib import Path
from bubbles import scratch

work, uploads = Path(sys.argv[1]), Path(sys.argv[2])
upload = uploads / (scratch.HELD + sys.argv[3] + ".part")
upload.write_bytes(b"x")
with scratch.folder(work, "normalise") as folder, scratch.held(upload):
    (folder / "sound.pcm").write_bytes(b"x")
    print("works", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    work, uploads = tmp_path / "work", tmp_path / "uploads"
    work.mkdir()
    uploads.mkdir()
    return work, uploads


@contextmanager
def owner(folders: tuple[Path, Path], name: str) -> Iterator[subprocess.Popen[str]]:
    """A process that works in both folders, and receives an upload."""
    command = [sys.executable, "-c", OWNER, *map(str, folders), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout and process.stdout.readline() == "works\n"
            yield process
        finally:
            process.kill()


def swept(folders: tuple[Path, Path], after: timedelta) -> int:
    return sum(upkeep.sweep_files(folder, now=utc_now() + after) for folder in folders)


def test_what_a_dead_process_left_goes_at_once_and_what_a_living_one_uses_stays(folders: tuple[Path, Path]) -> None:
    with owner(folders, "living"):
        with owner(folders, "dead"):
            assert swept(folders, HOURS) == 0
        assert swept(folders, SOON) == 2
        work, uploads = folders
        assert [path.name for path in uploads.iterdir()] == ["held-living.part"]
        assert [path.name for left in work.iterdir() for path in left.iterdir()] == ["sound.pcm"]
    assert swept(folders, SOON) == 2
    assert not [path for folder in folders for path in folder.iterdir()]


def test_what_was_made_a_moment_ago_is_about_to_be_locked(folders: tuple[Path, Path]) -> None:
    with owner(folders, "dead"):
        pass
    assert swept(folders, timedelta(0)) == 0


def test_what_the_release_before_uses_is_not_locked_and_stays_for_a_day(folders: tuple[Path, Path]) -> None:
    (folders[1] / "theirs.part").write_bytes(b"x")
    assert swept(folders, HOURS) == 0
    assert swept(folders, timedelta(days=1, minutes=1)) == 1


def test_a_link_leads_nobody_out_of_the_folder(folders: tuple[Path, Path], tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "sound").write_bytes(b"x")
    (folders[0] / "held-link").symlink_to(outside)
    assert swept(folders, SOON) == 0
    assert (outside / "sound").exists()


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert scratch.sweep(tmp_path / "nowhere", now=utc_now()) == 0


def test_a_machine_sweeps_what_a_crash_left_again_and_again(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chores.TIDY_EVERY_S < 3600
    monkeypatch.setattr(chores, "TIDY_EVERY_S", 0.01)
    house = House(Settings(data_dir=tmp_path), None, None, None)  # type: ignore[arg-type] # unasked
    with chores.tidying(house), owner(folders, "living"):
        with owner(folders, "dead"):
            pass
        for path in (path for folder in folders for path in folder.iterdir()):
            os.utime(path, (time.time() - 90, time.time() - 90))
        wait_for(lambda: [path.name for path in folders[1].iterdir()] == ["held-living.part"])
        wait_for(lambda: len(list(folders[0].iterdir())) == 1)
    wait_for(lambda: not [each for each in threading.enumerate() if each.name == "tidying"])
