"""Every promised Python that is found here, each from a fresh clone to words and tests: `make pythons`.

    python -m tests.pythons [INTERPRETER...]

Takes the pages, the basemap and the speech model of this checkout, which know no Python. Needs the network. What fails
is told with the end of what it said, and the others go on.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from bubbles.platforms import PYTHONS
from tests.bench.install import size_mib
from tests.ports import free_port

CHECKOUT = Path(__file__).resolve().parent.parent
PLACES = ("~/.pyenv/versions/*/bin", "/usr/local/bin", "/usr/bin")
PURE = ("tests/model", "tests/audio", "tests/docs", "tests/test_ids.py", "tests/test_policy.py", "tests/test_shift.py")
"""What needs no database, no bucket, no browser and no proxy."""

SPOKEN = "The lighthouse keeper sold fresh lemons near the old harbour every morning."
SPEAK = "import sys; from hibari import Hibari; Hibari().save(*sys.argv[1:])"
STEP_MAX_S = 1800
TOLD_MAX_CHARS = 3000
COLUMNS = ("install", "doctor", "start", "words", "test tools", "pure tests")


ASK = "import os, sys; print(os.path.realpath(sys.executable), *sys.version_info[:2])"


def interpreters(folders: Iterable[Path]) -> list[Path]:
    """The promised ones in these folders, by version; each once, by the name that it has itself."""
    found = set()
    for folder in folders:
        for version in PYTHONS:
            with suppress(OSError, subprocess.CalledProcessError, subprocess.TimeoutExpired):
                ran = subprocess.run(
                    [folder / f"python{version}", "-c", ASK], capture_output=True, text=True, check=True, timeout=60
                )
                name, major, minor = ran.stdout.split()
                found.add((int(major), int(minor), name))
    return [Path(name) for *_, name in sorted(found)]


def folders() -> Iterator[Path]:
    """Where Pythons lie: those of pyenv, the system's, and those on the path."""
    for place in PLACES:
        pattern = Path(place).expanduser()
        yield from sorted(Path("/").glob(str(pattern.relative_to("/"))))
    yield from map(Path, os.environ["PATH"].split(os.pathsep))  # noqa: TID251 - a test


class Failed(Exception):
    """A step of one Python that ended badly; its text is the end of what was said."""


class Trial:
    """One interpreter in a clone of its own, with a data folder of its own."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.python, self.folder = python, folder / "bubbles"
        bare = {name: value for name, value in os.environ.items() if not name.startswith("BUBBLES_")}  # noqa: TID251
        self.port = free_port()
        own = {"BUBBLES_DATA_DIR": str(folder / "data"), "BUBBLES_PORT": str(self.port), "BUBBLES_LOG_LEVEL": "warning"}
        self.environment = bare | own
        self._run("git", "clone", "--quiet", str(CHECKOUT), str(self.folder), where=folder)
        for built in (".cache", "web/dist", "web/node_modules"):  # the last: exiftool, for the tests
            (self.folder / built).symlink_to(CHECKOUT / built)

    def _run(self, *command: str, where: Path | None = None) -> str:
        ran = subprocess.run(
            command,
            cwd=where or self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=STEP_MAX_S,
        )
        if ran.returncode != 0:
            raise Failed(f"{' '.join(command)} ended with {ran.returncode}\n{ran.stdout[-TOLD_MAX_CHARS:]}")
        return ran.stdout

    def _bubbles(self, *arguments: str) -> str:
        return self._run(".venv/bin/bubbles", *arguments)

    def install(self) -> str:
        """What runs the service, from the lock; its size on disk."""
        self._run("make", ".venv/.run", f"PYTHON={self.python}")
        return f"{size_mib(self.folder / '.venv'):.0f} MiB"

    def doctor(self) -> str:
        """Every part; what it says of this Python."""
        said = self._bubbles("doctor")
        return "tried" if re.search(r"python .*were tried", said) else "expected"

    def start(self) -> str:
        """The service, until it says where it is; then it is asked to leave."""
        command = [".venv/bin/bubbles", "serve"]
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            said = []
            for line in process.stdout or ():
                said.append(line)
                if "Bubbles is at" in line:
                    process.terminate()
        if process.returncode != 0 or not any("Bubbles is at" in line for line in said):
            raise Failed(f"bubbles serve ended with {process.returncode}\n{''.join(said)[-TOLD_MAX_CHARS:]}")
        return ""

    def words(self) -> str:
        """One recording, published and written down; it is found by what was said."""
        sound = self.folder.parent / "spoken.wav"
        self._run(".venv/bin/python", "-c", SPEAK, SPOKEN, str(sound))
        link = self._bubbles("publish", str(sound), "--at", "45.764,4.8357", "--wait").split()[-1]
        found = self._bubbles("search", "lemons")
        if link.rpartition("/")[2] not in found:
            raise Failed(f"{link} is not found by its words:\n{found}")
        return ""

    def test_tools(self) -> str:
        """What the tests need, from its lock; the size with it."""
        self._run("make", ".venv/.dev")
        return f"{size_mib(self.folder / '.venv'):.0f} MiB"

    def pure_tests(self) -> str:
        """The tests that need no services; how many there were."""
        said = self._run(".venv/bin/python", "-m", "pytest", "-q", *PURE)
        return said.strip().splitlines()[-1].partition(" in ")[0]


@contextmanager
def timed(cells: list[str]) -> Iterator[list[str]]:
    """Adds a cell: how long what follows took, and what it has put into the list."""
    began_s, told = time.monotonic(), list[str]()
    yield told
    cells.append(", ".join([f"{time.monotonic() - began_s:.0f} s", *filter(None, told)]))


def row(python: Path) -> tuple[list[str], str]:
    """The cells of an interpreter, and why it came no further; empty when it came to the end."""
    cells = list[str]()
    with TemporaryDirectory() as folder:
        try:
            trial = Trial(python, Path(folder))
            for step in COLUMNS:
                print(f"{python}: {step}", flush=True)
                with timed(cells) as told:
                    told.append(getattr(trial, step.replace(" ", "_"))())
        except (Failed, subprocess.TimeoutExpired) as error:
            return [*cells, "FAILED", *[""] * (len(COLUMNS) - len(cells) - 1)], str(error)
    return cells, ""


def main(names: list[str]) -> int:
    """Prints the table; 1 when one of them came to no end, or when there is none."""
    pythons = [Path(name).absolute() for name in names] or interpreters(folders())
    rows = {python: row(python) for python in pythons}
    for python, (_, why) in rows.items():
        print(f"\n{python}: {why}" if why else "", end="")
    print(f"\n| interpreter | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
    for python, (cells, _) in rows.items():
        print(f"| {python} | {' | '.join(cells)} |")
    absent = [version for version in PYTHONS if not any(version in str(python) for python in pythons)]
    print(f"Not found here: {', '.join(absent) or 'none'}")
    return int(not rows or any(why for _, why in rows.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
