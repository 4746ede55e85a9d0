"""The ports that we listen at: taken before anything slow is started, and what to do where one cannot be had."""

import errno
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bubbles.errors import Missing

POLL_S = 0.1
LETS_GO_MAX_S = 10.0
"""How long a process may take to end after its parent was killed."""


@dataclass(frozen=True)
class Port:
    """A port at an address of ours, and the setting that names it."""

    host: str
    number: int
    setting: str

    @contextmanager
    def held(self) -> Iterator[socket.socket]:
        """A socket that holds it and does not listen yet: who comes too early is refused, and waits for nothing.

        Raises Missing("port", what to do).
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        with ExitStack() as stack:
            with self.told():
                listener = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((self.host, self.number))
            yield listener

    @contextmanager
    def told(self) -> Iterator[None]:
        """What goes wrong at this port, as Missing("port", what to do)."""
        try:
            yield
        except OSError as error:
            raise Missing("port", self._advice(error)) from error

    def await_free(self, say: Callable[[str], None]) -> None:
        """Returns when it can be had; raises Missing("port") when it is still taken after `LETS_GO_MAX_S`."""
        deadline_s, said = time.monotonic() + LETS_GO_MAX_S, False
        while True:
            try:
                with self.held():
                    return
            except Missing as missing:
                is_taken = isinstance(missing.__cause__, OSError) and missing.__cause__.errno == errno.EADDRINUSE
                if not is_taken or time.monotonic() > deadline_s:
                    raise
            if not said:
                say(f"Waiting for the port {self.number}")
                said = True
            time.sleep(POLL_S)

    def _advice(self, error: OSError) -> str:
        if error.errno == errno.EADDRINUSE:
            return (
                f"The port {self.number} at {self.host} is taken: "
                f"end what listens there, or set {self.setting} to another."
            )
        if error.errno == errno.EACCES:
            return f"The port {self.number} is for root alone: set {self.setting} to one above 1023."
        return f"{self.host} is no address of this machine ({error.strerror}): set BUBBLES_HOST to one that is."
