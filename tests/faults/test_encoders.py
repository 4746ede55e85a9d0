"""A real worker whose encoder is ended from outside: that is no fault of the recording, and leaves no traceback."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from bubbles.app import House
from bubbles.db import steps
from bubbles.model.bubble import Bubble, State
from bubbles.model.step import StepName
from tests.faults.conftest import state_of
from tests.faults.test_outages import lines_of, model, worker_of
from tests.journey.service import wait_for

__all__ = ["model"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_an_encoder_that_is_ended_from_outside_writes_no_traceback_and_counts_for_nothing(
    house: House, bubble: Bubble, model: Path, number: signal.Signals
) -> None:
    ended: set[int] = set()
    with worker_of(house, model) as worker:
        while not ended:
            for pid in encoders(worker.process.pid):
                os.kill(pid, number)
                ended.add(pid)
            assert ended or state_of(house, bubble) is not State.PLAYABLE, "it was never seen"
        worker.line("died")
        wait_for(lambda: state_of(house, bubble) is State.PLAYABLE)
        lines_of(worker)
    with house.database.transaction() as session:
        step = steps.of(session, bubble.id, StepName.NORMALISE)
    assert step and (step.tries, step.deaths) == (0, len(ended))


def encoders(parent: int) -> set[int]:
    """The processes that a worker has making renditions."""
    found = set()
    for entry in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):  # a thread or a process that has ended meanwhile
            for pid in entry.read_text().split():
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if b"bubbles.audio.press" in command and sys.executable.encode() in command:
                    found.add(int(pid))
    return found
