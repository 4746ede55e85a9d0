"""A worker's shift: what one process has under way, since when, and whether it is leaving."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock

from bubbles.model.step import Step


@dataclass(frozen=True)
class Task:
    """A job under way; `step` is the attempt, None for what runs by itself. Past `until_s` (monotonic) it hangs."""

    name: str
    step: Step | None
    until_s: float


class Shift:
    """Any thread may ask and tell."""

    def __init__(self) -> None:
        self.leaving = Event()
        self._tasks: dict[int, Task] = {}
        self._lock = Lock()

    @contextmanager
    def task(self, name: str, *, deadline_s: float, step: Step | None = None) -> Iterator[None]:
        """Has a job count as under way in the block."""
        task = Task(name, step, time.monotonic() + deadline_s)
        with self._lock:
            self._tasks[id(task)] = task
        try:
            yield
        finally:
            with self._lock:
                del self._tasks[id(task)]

    def under_way(self) -> list[Task]:
        """What runs."""
        with self._lock:
            return list(self._tasks.values())

    def overdue(self) -> list[Task]:
        """What has run past its deadline: a thread cannot be ended, only its process."""
        return [task for task in self.under_way() if time.monotonic() > task.until_s]
