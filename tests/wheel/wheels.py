"""A wheel as `make wheel` builds it, and an environment into which it was installed, away from any checkout."""

import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.accounts_here import python_of_user
from tests.conftest import CHECKOUT

INSTALL_MAX_S = 300


@dataclass(frozen=True)
class Built:
    """What lies in `dist/`."""

    wheel: Path
    lock: Path

    def metadata(self, name: str) -> str:
        """A file beside the code, such as METADATA."""
        with ZipFile(self.wheel) as archive:
            (path,) = [each for each in archive.namelist() if each.endswith(f".dist-info/{name}")]
            return archive.read(path).decode()

    def names(self) -> list[str]:
        """The files in the wheel."""
        with ZipFile(self.wheel) as archive:
            return archive.namelist()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Needs the built pages and the basemap, as `make test` makes them first."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False, timeout=INSTALL_MAX_S)
    assert ran.returncode == 0, ran.stderr
    return Built(next(folder.glob("*.whl")), next(folder.glob("*.lock")))


@pytest.fixture(scope="session")
def installed(built: Built) -> Iterator[Path]:
    """The environment's folder. What the wheel needs are the packages of the tests, which are pinned alike."""
    with tempfile.TemporaryDirectory(prefix="bubbles-wheel-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # another account is to reach it
        run(python_of_user() or sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
        python = folder / "venv" / "bin" / "python"
        options = ("--disable-pip-version-check", "--no-deps", "--no-index", "--quiet")
        run(sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(built.wheel))
        packages = next((folder / "venv" / "lib").glob("python*")) / "site-packages"
        (packages / "of-the-tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
        yield folder / "venv"


def run(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_MAX_S)
    assert ran.returncode == 0, ran.stderr
