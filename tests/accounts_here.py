"""Other accounts of this machine, for tests that root runs: what an ordinary user may not do root may."""

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

NOBODY = pwd.getpwnam("nobody")
IS_ROOT = os.geteuid() == 0


def as_user() -> list[str]:
    """What to put before a command so that an ordinary user runs it: nothing for who is one."""
    if not IS_ROOT:
        return []
    return ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups", "--"]


def as_user_by_name() -> list[str]:
    """The same for who reaches too little: the rights of root's files, and no others, under that user's number."""
    return ["unshare", "--user", f"--map-user={NOBODY.pw_uid}", f"--map-group={NOBODY.pw_gid}", "--"]


@cache
def python_of_user() -> str | None:
    """A Python of our version that this user can run: ours may lie in root's home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (os.path.realpath(sys.executable), f"/usr/local/bin/{version}", f"/usr/bin/{version}"):
        # By way of a shell: setpriv itself still looks with the rights of root.
        command = [*as_user(), "sh", "-c", '"$0" -c "import venv"', python]
        if subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0:
            return python
    return None


@contextmanager
def folder_of_user() -> Iterator[Path]:
    """A folder of that user's own, reachable by them: pytest's are closed to others."""
    with tempfile.TemporaryDirectory(prefix="bubbles-") as name:
        if IS_ROOT:
            os.chown(name, NOBODY.pw_uid, NOBODY.pw_gid)
        yield Path(name)
