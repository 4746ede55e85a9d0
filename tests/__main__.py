"""All tests, as `make test` runs them. Name some to run those alone: `python -m tests tests/http`.

They run in three lanes. A browser mostly waits, and so does who kills services and sees them recover; what one lane
leaves of the processor the others take, the browser first. One is told as it goes, the others after it.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
from typing import IO

PYTEST = (sys.executable, "-m", "pytest")
BROWSER = ("tests/browser",)
HARDSHIP = ("tests/faults", "tests/infra", "tests/journey", "tests/keeping")
NICE = ("nice", "-n", "5")


def everything() -> int:
    """The worst of the exit statuses."""
    with tempfile.TemporaryFile() as browser_told, tempfile.TemporaryFile() as hardship_told:
        lanes = [
            _started((*NICE, *PYTEST, *(f"--ignore={folder}" for folder in BROWSER + HARDSHIP)), told=None),
            _started((*NICE, *PYTEST, *HARDSHIP), told=hardship_told),
            _started((*PYTEST, *BROWSER), told=browser_told),
        ]
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches them all, and each ends what it started
        statuses = [lane.wait() for lane in lanes]
        for told in (hardship_told, browser_told):
            told.seek(0)
            shutil.copyfileobj(told, sys.stdout.buffer)
    return max(statuses, key=abs)


def _started(command: tuple[str, ...], *, told: IO[bytes] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=told, stderr=subprocess.STDOUT if told else None)


if __name__ == "__main__":
    sys.exit(subprocess.call([*PYTEST, *sys.argv[1:]]) if sys.argv[1:] else everything())
