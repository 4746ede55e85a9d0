"""What ends a command, as one sentence that says what to do."""

import errno
import os
import subprocess

import psycopg
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bubbles.config import environment_name
from bubbles.db import refusals
from bubbles.errors import Missing, Refused

MEND = {
    errno.EACCES: "give this account the right to it, or run the command as its owner",
    errno.EPERM: "run the command as its owner",
    errno.EROFS: "mount it so that it can be written to, or name another folder",
    errno.ENOENT: "install it, or name another",
    errno.ENOSPC: "make room on that disk",
    errno.EDQUOT: "make room on that disk",
}


def sentence(error: Exception) -> str | None:
    """Why the command ends; None for a fault of ours, which is left to raise."""
    if isinstance(error, Refused):
        return f"{error} ({error.code})"
    if isinstance(error, Missing):
        return str(error)
    if isinstance(error, ValidationError):
        return "; ".join(f"{environment_name(str(each['loc'][0]))}: {each['msg']}" for each in error.errors())
    if isinstance(error, SQLAlchemyError | psycopg.Error):
        return refusals.sentence(error)
    if isinstance(error, subprocess.CalledProcessError | subprocess.TimeoutExpired):
        return _of_program(error)
    return _of_system(error) if isinstance(error, OSError) else None


def _of_program(error: subprocess.CalledProcessError | subprocess.TimeoutExpired) -> str:
    program = error.cmd if isinstance(error.cmd, str) else error.cmd[0]
    return f"The program {program} does not run here ({error}): install the packages of Bubbles again."


def _of_system(error: OSError) -> str:
    what = error.strerror or str(error)
    where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes | os.PathLike) else ""
    mend = MEND.get(error.errno or 0)
    return f"{what}{where}; {mend}." if mend else f"{what}{where}"
