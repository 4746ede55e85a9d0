"""All tests, as `make test` runs them. Name some to run those alone: `python -m tests tests/http`.

They run in three lanes, since a browser mostly waits, and so does who kills services and sees them recover. A lane that
has ended takes what waits. What those leave of the processor all others take; these are told as they go, those after.
"""

import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

PYTEST = (sys.executable, "-m", "pytest")
ALONE = ("tests/browser", "tests/faults", "tests/infra", "tests/wheel", "tests/keeping", "tests/journey", "tests/start")
"""Folders with a run of their own, the longest first."""

LANES = 3
NICE = ("nice", "-n", "5")


def everything() -> int:
    """The worst of the exit statuses."""
    interrupted = Event()
    signal.signal(signal.SIGINT, lambda *_: interrupted.set())  # Ctrl-C reaches them all; each ends what it started

    def alone(folder: str, told: Path) -> int:
        with told.open("wb") as file:
            if interrupted.is_set():
                return signal.SIGINT
            return subprocess.call((*PYTEST, folder), stdout=file, stderr=file)

    with TemporaryDirectory() as place, ThreadPoolExecutor(LANES) as lanes:
        told = [Path(place, str(number)) for number in range(len(ALONE))]
        others = lanes.submit(subprocess.call, (*NICE, *PYTEST, *(f"--ignore={folder}" for folder in ALONE)))
        statuses = [others, *(lanes.submit(alone, *each) for each in zip(ALONE, told, strict=True))]
        worst = max((status.result() for status in statuses), key=abs)
        for path in told:
            with path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    return worst


if __name__ == "__main__":
    sys.exit(subprocess.call([*PYTEST, *sys.argv[1:]]) if sys.argv[1:] else everything())
