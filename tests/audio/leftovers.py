"""Which processes this one has started, and what they are at."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def children(pid: int | str = "self") -> set[int]:
    """The process ids of a process's children, the dead ones that nobody waited for included; none once it is gone."""
    found = set[int]()
    for one in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            found |= set(map(int, one.read_text().split()))
    return found


def _told(file: Path) -> str:
    """What the kernel tells there of a process or a thread, if that has not just ended."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def first_at_work(candidates: Callable[[], set[int]], timeout_s: float = 60) -> int:
    """The first decoder that has raised its walls and waits for bytes that do not come."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        for pid in candidates():
            if _walled(pid) and _asleep(pid):
                return pid
        time.sleep(0.005)
    raise AssertionError("no decoder came to work")


def _walled(pid: int) -> bool:
    """No descriptor may be opened: the last wall of all."""
    lines = _told(Path(f"/proc/{pid}/limits")).splitlines()
    return any(line.split()[:5] == ["Max", "open", "files", "0", "0"] for line in lines)


def _asleep(pid: int) -> bool:
    return _told(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[:1] == ["S"]
