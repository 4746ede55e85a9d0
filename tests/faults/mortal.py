"""A database server that crashes, and comes up again."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bubbles.db.embedded import running
from bubbles.db.engine import Database
from bubbles.db.server_folder import Cluster
from tests.journey.service import wait_for

UP_MAX_S = 120


class Mortal:
    """A server whose database is migrated and empty."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder.resolve(), stack
        self._up = threading.Event()
        database = Database(stack.enter_context(running(folder)))
        database.migrate()
        database.close()
        self.url = database.libpq_url

    def crash(self) -> None:
        """All its processes end at once, and with them all connections; another recovers what was committed."""
        self._up.clear()
        cluster = Cluster(self._folder)
        server = cluster.process()
        assert server
        os.kill(server, signal.SIGQUIT)
        wait_for(lambda: cluster.process() != server, timeout_s=UP_MAX_S)
        self._stack.enter_context(running(self._folder))  # sooner than those who use it would notice
        self._up.set()

    def wait(self) -> None:
        """Returns when it is up again."""
        assert self._up.wait(UP_MAX_S)


@contextmanager
def mortal(folder: Path) -> Iterator[Mortal]:
    """Such a server, kept in `folder`."""
    with ExitStack() as stack:
        yield Mortal(folder, stack)
