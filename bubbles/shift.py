"""A worker's shift: what one process has under way, since when, and whether it is leaving."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition, Event, Lock

from bubbles.model.step import Step

LOOK_UP_S = 1.0
"""How often who waits looks whether the shift is leaving."""


@dataclass(frozen=True)
class Task:
    """A job under way; `step` is the attempt, None for what runs by itself. Past `until_s` (monotonic) it hangs."""

    name: str
    step: Step | None
    until_s: float


class Shift:
    """Any thread may ask and tell. `patience_s` is how long one waits for the database to tell how a step ended."""

    def __init__(self, *, patience_s: float = 0.0) -> None:
        self.leaving = Event()
        self.patience_s = patience_s
        self._tasks: dict[int, Task] = {}
        self._lock = Lock()
        self._room = Condition()
        self._inside = self._want_to_be_alone = 0
        self._is_taken = False

    @contextmanager
    def room(self, *, alone: bool) -> Iterator[None]:
        """Lets steps in beside each other, or one alone, which those that come after wait for.

        Once the shift is leaving nobody waits any more.
        """
        with self._room:
            self._want_to_be_alone += alone
            while self._is_full(alone=alone) and not self.leaving.is_set():
                self._room.wait(LOOK_UP_S)
            self._want_to_be_alone -= alone
            self._inside += 1
            self._is_taken = self._is_taken or alone
        try:
            yield
        finally:
            with self._room:
                self._inside -= 1
                self._is_taken = self._is_taken and not alone
                self._room.notify_all()

    def _is_full(self, *, alone: bool) -> bool:
        return self._is_taken or bool(self._inside if alone else self._want_to_be_alone)

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
