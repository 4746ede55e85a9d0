"""`bubbles backup` and `bubbles restore` as the shell runs them, into a data folder that is not there yet."""

from pathlib import Path

import numpy as np
import pytest

from bubbles.app import House
from tests.cli.conftest import BASE, Run
from tests.cli.test_cli import written


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second of a tone."""
    return written(tmp_path_factory.mktemp("sound") / "tone.wav", np.sin(np.arange(8_000) * 2 * np.pi * 440 / 16_000))


def test_a_backup_comes_back_in_an_empty_data_folder(
    house: House, run: Run, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = run("publish", sound, "--title", "Harbour").out.strip().removeprefix(f"{BASE}/b/")
    made = run("backup", tmp_path / "backups", "--keep", 2)
    assert (made.status, made.err) == (0, "")
    assert made.out.endswith(": 1 bubbles, 1 blobs, 1 of them new.\n")
    monkeypatch.setenv("BUBBLES_DATA_DIR", str(tmp_path / "elsewhere"))
    former = (house.settings.data_dir / "blobs").as_uri()
    done = run("restore", tmp_path / "backups", "--erasures", former)
    assert (done.status, done.err) == (0, "")
    assert "is restored: 1 bubbles, 0 of them erased again." in done.out
    again = run("restore", tmp_path / "backups")
    assert (again.status, again.out) == (1, "")
    assert "not empty" in again.err
    held = run("hold", code, "--reason", "look")
    assert (held.status, held.err) == (0, "")


def test_lost_sound_is_named_and_ends_with_status_1(house: House, run: Run, sound: Path, tmp_path: Path) -> None:
    code = run("publish", sound).out.strip().removeprefix(f"{BASE}/b/")
    key = next(iter(house.blobs.keys(f"recordings/{code}/")))
    house.blobs.delete(key)
    made = run("backup", tmp_path / "backups")
    assert made.status == 1
    assert key in made.err


def test_there_is_nothing_to_restore_in_another_folder(run: Run, tmp_path: Path) -> None:
    ran = run("restore", tmp_path)
    assert (ran.status, ran.out) == (1, "")
    assert "no backup" in ran.err


def test_a_former_store_must_be_one(run: Run, tmp_path: Path) -> None:
    ran = run("restore", tmp_path, "--erasures", "ftp://x")
    assert ran.status == 1
    assert "--erasures" in ran.err
