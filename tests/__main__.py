"""All tests, as `make test` runs them. Name some to run those alone: `python -m tests tests/http`.

A browser mostly waits: its tests run beside all others, which leave it the processor when it wants it, and are told
last.
"""

import shutil
import signal
import subprocess
import sys
import tempfile

PYTEST = (sys.executable, "-m", "pytest")
BROWSER = "tests/browser"


def everything() -> int:
    """The worse of both exit statuses."""
    with tempfile.TemporaryFile() as told:
        browser = subprocess.Popen([*PYTEST, BROWSER], stdout=told, stderr=subprocess.STDOUT)
        others = subprocess.Popen(["nice", "-n", "5", *PYTEST, f"--ignore={BROWSER}"])
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both, and each ends what it started
        worse = max(others.wait(), browser.wait(), key=abs)
        told.seek(0)
        shutil.copyfileobj(told, sys.stdout.buffer)
    return worse


if __name__ == "__main__":
    sys.exit(subprocess.call([*PYTEST, *sys.argv[1:]]) if sys.argv[1:] else everything())
