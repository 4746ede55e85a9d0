"""Ports of this machine that are a test's own, whatever tests run beside it in processes of their own."""

import random
import socket

FIRST, COUNT = 10_000, 20_000
"""Below those that the system hands out by itself: to who connects, and to who listens anywhere."""

_claims: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody listens on, and that no other test is given before this process ends."""
    while True:
        port = FIRST + random.randrange(COUNT)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0bubbles-tests-{port}")  # a name without a file, which goes with the process
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
        else:
            _claims.append(claim)
            return port
