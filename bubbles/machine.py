"""This machine: since when it is up, and what its kernel says of processes that ended and memory that ran out."""

import contextlib
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

CGROUPS = Path("/sys/fs/cgroup")
FROM_OUTSIDE = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT})
"""Signals that no process sends itself by a fault."""


def up_since() -> datetime:
    """When it was started."""
    return datetime.now(UTC) - timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))


class Shortages(NamedTuple):
    """How often a process's cgroup reached its limit of memory, and the kernel killed in it for want of memory."""

    at_limit: int = 0
    killed: int = 0


def shortages(*, cgroups: Path = CGROUPS) -> Shortages:
    """What the kernel has counted so far (`memory.events` of cgroup 2, `memory.oom_control` of 1); zeros where it does
    not.
    """
    for folder in _folders(cgroups):
        newer, older = _counts(folder / "memory.events"), _counts(folder / "memory.oom_control")
        if "oom_kill" in newer:
            return Shortages(newer.get("oom", 0), newer["oom_kill"])
        if "oom_kill" in older:
            return Shortages(_count(folder / "memory.failcnt"), older["oom_kill"])
    return Shortages()


def _folders(cgroups: Path) -> list[Path]:
    """Where the counters of this process may lie; in a container its own cgroup is the root."""
    folders = []
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            base = cgroups / "memory" if "memory" in kinds.split(",") else cgroups
            folders += [base / path.lstrip("/"), base] if not kinds or "memory" in kinds.split(",") else []
    return folders


def _counts(file: Path) -> dict[str, int]:
    with contextlib.suppress(OSError, ValueError):
        return {name: int(value) for name, value in (line.split() for line in file.read_text().splitlines())}
    return {}


def _count(file: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(file.read_text())
    return 0
