"""Why a speech process died: for want of memory, when a limit of it says so; of itself; or ended from outside.

A limit speaks in four ways: the process itself answers that memory was refused; it complains of it as it ends
(`std::bad_alloc`); it ends by a fault of its own with nearly all taken that it may (a library that did not look
whether it got any); or the kernel counts that the limit of the cgroup was reached and that it killed for it.
"""

import contextlib
import re
import signal
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import structlog

from bubbles import machine
from bubbles.errors import Died, Missing
from bubbles.machine import FROM_OUTSIDE
from bubbles.speech.frames import OUT_OF_MEMORY

NEARLY = 0.9
"""Part of the data it may hold: a process that crashes with so much taken was refused more."""

CLOSES_MAX_S = 1.0
LINES_KEPT = 50
LINE_MAX_BYTES = 500
NAMED = re.compile(r"^([A-Z]\w*(?:Error|Exception|Exit|Interrupt))\b")
DATA = re.compile(rb"^VmData:\s+(\d+) kB$", re.MULTILINE)

log = structlog.get_logger()


class Signs:
    """What can be seen of a process while it runs: the memory it takes, what it complains of, what the kernel counts.

    Its standard error, `complaints`, is read until it ends, and a few lines of it are kept: it is no log.
    """

    def __init__(self, pid: int, complaints: BinaryIO, *, memory_bytes: int) -> None:
        self._pid, self._memory_bytes = pid, memory_bytes
        self._before, self._most_bytes = machine.Shortages(), 0
        self._complaints = complaints
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._reader = threading.Thread(target=self._read, name="speech-complaints", daemon=True)
        self._reader.start()

    def begin(self) -> None:
        """A new job begins: what was seen before says nothing of it."""
        self._before, self._most_bytes = machine.shortages(), 0
        self._lines.clear()

    def look(self) -> None:
        """Has another look at how much memory it takes."""
        with contextlib.suppress(OSError):
            found = DATA.search(Path(f"/proc/{self._pid}/status").read_bytes())
            self._most_bytes = max(self._most_bytes, int(found[1]) * 1024 if found else 0)

    def _read(self) -> None:
        while line := self._complaints.readline(LINE_MAX_BYTES):
            self._lines.append(line.decode(errors="replace").strip())

    @contextlib.contextmanager
    def closing(self) -> Iterator[None]:
        """Until the end of the block it ends; whatever it complained of is read then, and told by type alone."""
        try:
            yield
        finally:
            self._reader.join(CLOSES_MAX_S)
            if not self._reader.is_alive():
                self._complaints.close()
            if named := [found[1] for line in self._lines if (found := NAMED.match(line))]:
                log.warning("speech_complains", errors=named[-3:])

    def lack_memory(self, status: int) -> bool:
        """Whether a limit of memory says that it is why the process ended so; asked once it is closed."""
        if any(sign in line.lower() for line in self._lines for sign in OUT_OF_MEMORY):
            return True
        if status == -signal.SIGKILL:
            at_limit, killed = machine.shortages()
            return killed > self._before.killed and at_limit > self._before.at_limit
        return status < 0 and -status not in FROM_OUTSIDE and self._most_bytes > NEARLY * self._memory_bytes


def died(status: int | None, signs: Signs, memory_mib: int) -> Exception:
    """What to say of a process that ended with this status before it answered."""
    status = status or 0
    if signs.lack_memory(status):
        return no_memory(memory_mib)
    if -status in FROM_OUTSIDE:
        named = signal.Signals(-status).name
        return Died("speech", f"The speech process was ended from outside, by {named}, while it listened.")
    return RuntimeError(f"The speech process ended with status {status}.")


def no_memory(memory_mib: int) -> Missing:
    """What to say of one that was refused memory."""
    return Missing(
        "memory",
        f"The speech process needs more than the {memory_mib} MiB it may take, or the machine has no more: "
        "raise BUBBLES_TRANSCRIBE_MEMORY_MIB, free memory, or choose a smaller BUBBLES_WHISPER_MODEL.",
    )
