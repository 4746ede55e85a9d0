"""A process of the service on a machine whose disk may fill up, and whose clock may go wrong.

python -m tests.soak.unlucky FOLDER serve|work

While FOLDER/full is there, no file below FOLDER can be made or written. FOLDER/ahead holds the seconds by which the
clock of the house is ahead.
"""

import errno
import os
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bubbles.model import times

FULL, AHEAD = "full", "ahead"


def limit_disk(folder: Path) -> None:
    """Has every new file and every write to one fail while the disk is full."""
    full, write = folder / FULL, os.write

    def refuse() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def limited(handle: int, content: Any) -> int:
        if full.exists() and stat.S_ISREG(os.fstat(handle).st_mode):
            refuse()
        return write(handle, content)

    def watch(event: str, args: tuple[Any, ...]) -> None:
        makes = event == "open" and isinstance(args[0], str | os.PathLike) and args[2] & os.O_CREAT
        if makes and str(args[0]).startswith(str(folder)) and full.exists():
            refuse()

    os.write = limited
    sys.addaudithook(watch)


def drift(folder: Path) -> None:
    """Has the house's clock go wrong; before anything asks for the time."""
    ahead = folder / AHEAD

    def utc_now() -> datetime:
        try:
            return datetime.now(UTC) + timedelta(seconds=float(ahead.read_text()))
        except FileNotFoundError:
            return datetime.now(UTC)

    times.utc_now = utc_now


if __name__ == "__main__":
    place = Path(sys.argv.pop(1))
    limit_disk(place)
    drift(place)
    from bubbles import cli

    cli.main()
