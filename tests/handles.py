"""What this process holds open."""

from contextlib import suppress
from pathlib import Path


def open_in(folder: Path) -> list[Path]:
    """What is open here of a folder, itself included; what else the process does opens and closes others meanwhile."""
    found = []
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of this very look, and others that are closed meanwhile
            found.append(handle.readlink())
    return [path for path in found if path.is_relative_to(folder)]
