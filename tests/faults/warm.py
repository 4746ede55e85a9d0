"""A process that has done it all once, and forks: what it forks is warm at once, and dies alone."""

import faulthandler
import multiprocessing
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

CHILD_MAX_S = 120
"""A child that takes longer says where it is, and ends with the status 1."""


@dataclass(frozen=True)
class Warm:
    """The way to such a process."""

    _way: Connection

    def run(self, call: Callable[..., None], *args: Any) -> int:
        """Runs `call` in a fork; its exit status, negative for the signal that ended it."""
        self._way.send((call, args))
        return int(self._way.recv())


@contextmanager
def warmed(rehearsal: Callable[..., None], *args: Any) -> Iterator[Warm]:
    """A process that has run `rehearsal`, which leaves no thread and no connection behind."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs, rehearsal, args), daemon=True)
    process.start()
    theirs.close()
    assert ours.recv() == "ready"
    yield Warm(ours)
    ours.close()
    process.join()


def _serve(way: Connection, rehearsal: Callable[..., None], args: tuple[Any, ...]) -> None:
    rehearsal(*args)
    way.send("ready")
    while True:
        try:
            call, args = way.recv()
        except EOFError:
            return
        pid = os.fork()
        if pid == 0:
            _be(call, args)
        way.send(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _be(call: Callable[..., None], args: tuple[Any, ...]) -> None:
    faulthandler.dump_traceback_later(CHILD_MAX_S, exit=True)
    try:
        call(*args)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
