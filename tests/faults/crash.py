"""Crash points: a process that kills itself at the n-th durable operation of what it does.

Nothing in the house knows of it. What makes something durable is wrapped where everybody has to pass: COMMIT in the
driver, what the queue writes by itself, requests that change a bucket, programs that are run, and every file made,
linked, renamed, synced or removed below the folder. Whatever code is added passes there too. Dying before each is
enough: what is durable after one is what is durable before the next. Answers count as well, since they change what was
promised. A folder made that is there, or a second sync of what has not changed, is no moment of its own.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import psycopg
from botocore.client import BaseClient
from procrastinate import PsycopgConnector

import bubbles

HOUSE = str(Path(bubbles.__file__).parent)
READS = ("Get", "Head", "List")
QUEUE_WRITES = ("execute_query_async", "execute_query_one_async", "execute_query_all_async")
FILES = {"os.mkdir", "os.rmdir", "os.remove", "os.rename", "os.link", "os.symlink", "os.truncate"}
WROTE = "SELECT pg_current_xact_id_if_assigned()"


class Fuse:
    """Counts durable operations while it is armed, notes each in `notes`, and kills the process at number `kill_at`."""

    def __init__(self, folder: Path, notes: Path, *, kill_at: int) -> None:
        self._folder = str(folder)
        self._notes = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._kill_at = kill_at
        self._lock = threading.Lock()
        self._count = 0
        self._burns = False
        self._unsynced = False

    def arm(self) -> None:
        """From now on operations count."""
        self._burns = True

    def disarm(self) -> None:
        """They count no more."""
        self._burns = False

    def point(self, name: str) -> None:
        """A moment at which the process may die."""
        if not self._burns:
            return
        with self._lock:
            self._count += 1
            os.write(self._notes, f"{name} ({_place()})\n".encode())
            if self._count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def lay(self) -> None:
        """Wraps all that makes something durable, for as long as the process lives."""
        self.before(psycopg.Connection, "commit", lambda connection: "COMMIT" if _wrote(connection) else None)
        for name in QUEUE_WRITES:
            self.before(PsycopgConnector, name, lambda _, query, **__: f"queue: {query.split('(')[0].split()[-1]}")
        self.before(BaseClient, "_make_api_call", lambda _, name, __: None if name.startswith(READS) else name)
        self._before_files()

    def before(self, owner: type, name: str, named: Callable[..., str | None]) -> None:
        """A point before each call that is given a name, while armed."""
        original = getattr(owner, name)

        @wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            what = named(*args, **kwargs) if self._burns else None
            if what is not None:
                self.point(what)
            return original(*args, **kwargs)  # what a coroutine does is still to come

        setattr(owner, name, call)

    def _before_files(self) -> None:
        """A point before each operation on files; audit events tell of all but fsync, and of programs too."""
        sync = os.fsync

        def fsync(handle: int) -> None:
            if self._unsynced and self._is_ours(f"/proc/self/fd/{handle}"):  # another would be the same moment again
                self.point("fsync")
                self._unsynced = False
            sync(handle)

        def watch(event: str, args: tuple[Any, ...]) -> None:
            if self._burns and (what := self._changes(event, args)):
                self._unsynced = True
                self.point(what)

        os.fsync = fsync
        sys.addaudithook(watch)

    def _changes(self, event: str, args: tuple[Any, ...]) -> str | None:
        """What an audit event is about to change in the folder; a program may change anything."""
        if event == "subprocess.Popen":
            return None if "--version" in args[1] else Path(args[0]).name
        makes = event == "open" and isinstance(args[0], str | bytes | os.PathLike) and args[2] & os.O_CREAT
        if not (makes or event in FILES) or not self._is_ours(os.fspath(args[0])):
            return None
        return None if event == "os.mkdir" and _is_there(*args) else event.removeprefix("os.")

    def _is_ours(self, path: str | bytes) -> bool:
        """Whether it lies in the folder; a relative one does, since only a store's handle leads to it."""
        text = os.fsdecode(path)
        if text.startswith("/proc/self/fd/"):
            text = str(Path(text).readlink())
        return not text.startswith("/") or text.startswith(self._folder)


def _is_there(path: str, _: int, folder: int) -> bool:
    try:
        os.stat(path, dir_fd=None if folder == -1 else folder)
    except OSError:
        return False
    return True


def _wrote(connection: psycopg.Connection[Any]) -> bool:
    """Whether the transaction has anything to keep: others are no point."""
    if connection.info.transaction_status is not psycopg.pq.TransactionStatus.INTRANS:
        return False
    row = connection.execute(WROTE).fetchone()
    return row is not None and row[0] is not None


def _place() -> str:
    """Which function of the house leads here, beyond the one that every transaction comes from."""
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_filename.startswith(HOUSE) and frame.f_code.co_name != "transaction":
            return f"{Path(frame.f_code.co_filename).name}:{frame.f_code.co_name}"
        frame = frame.f_back  # type: ignore[assignment]
    return "test"
