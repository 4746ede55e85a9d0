"""Other accounts of this machine, for tests that root runs: what an ordinary user may not do root may."""

import os
import pwd
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = pwd.getpwnam("nobody")
IS_ROOT = os.geteuid() == 0


def as_user() -> list[str]:
    """What to put before a command so that an ordinary user runs it: nothing for who is one."""
    if not IS_ROOT:
        return []
    return ["setpriv", f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}", "--clear-groups", "--"]


@contextmanager
def folder_of_user() -> Iterator[Path]:
    """A folder of that user's own, reachable by them: pytest's are closed to others."""
    with tempfile.TemporaryDirectory(prefix="bubbles-") as name:
        if IS_ROOT:
            os.chown(name, NOBODY.pw_uid, NOBODY.pw_gid)
        yield Path(name)
