"""What the processes of a service hold, sampled: memory, open files, threads; and how that grows."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from tests.audio.leftovers import children
from tests.soak.stage import Machine, Stage

EVERY_S = 15.0
WARM_AFTER_S = 60.0
"""How long a process is not looked at after its start: it loads what it needs."""

SPEECH = "bubbles.speech.child"
HOUR_S = 3600


@dataclass(frozen=True)
class Sample:
    """A process at a moment. `role` is web, worker or speech; `life` tells processes of one machine apart."""

    at_s: float
    role: str
    life: str
    rss_mib: float
    pss_mib: float
    files: int
    threads: int


@dataclass
class Gauges:
    """Looks every `EVERY_S`."""

    stage: Stage
    samples: list[Sample] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)
    pss_mib: list[float] = field(default_factory=list)
    """Of all together, at each look."""

    def watch(self, leaving: Event) -> Thread:
        """Looks until it is told to leave."""
        thread = Thread(target=self._watch, args=(leaving,))
        thread.start()
        return thread

    def _watch(self, leaving: Event) -> None:
        while not leaving.wait(EVERY_S):
            self.look()

    def look(self) -> None:
        """A sample of every process, and of the database's connections."""
        found = [sample for machine in self.stage.machines for sample in _of(machine)]
        self.samples += found
        self.pss_mib.append(sum(sample.pss_mib for sample in found))
        count = self.stage.asked("SELECT count(*) - 1 FROM pg_stat_activity WHERE usename = current_user")
        self.connections += [] if count is None else [count]


def _of(machine: Machine) -> Iterator[Sample]:
    process = machine.process
    if process is None or process.poll() is not None:
        return
    roles = {process.pid: machine.name.partition("-")[0]}
    roles |= {pid: "speech" for pid in children(process.pid) if _is_speech(pid)}
    for pid, role in roles.items():
        with suppress(OSError, StopIteration):  # it has just ended
            yield _sample(pid, role, f"{machine.name} {role} {pid}")


def _is_speech(pid: int) -> bool:
    with suppress(OSError):
        return SPEECH.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _sample(pid: int, role: str, life: str) -> Sample:
    folder = Path(f"/proc/{pid}")
    held = {line.split()[0]: line.split()[1] for line in (folder / "smaps_rollup").read_text().splitlines()[1:]}
    threads = next(line for line in (folder / "status").read_text().splitlines() if line.startswith("Threads"))
    files = len(list((folder / "fd").iterdir()))
    memory = (int(held["Rss:"]) / 1024, int(held["Pss:"]) / 1024)
    return Sample(time.time(), role, life, *memory, files, int(threads.split()[1]))


def lives(samples: Iterable[Sample]) -> dict[str, list[Sample]]:
    """The samples of each life, in order."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        found[sample.life].append(sample)
    return found


def warm(samples: Iterable[Sample], since_s: float) -> list[Sample]:
    """Those after a moment that are also a while after the first of their life."""
    return [
        sample
        for life in lives(samples).values()
        for sample in life
        if sample.at_s >= since_s and sample.at_s - life[0].at_s >= WARM_AFTER_S
    ]


def slope_per_hour(samples: Iterable[Sample], value: Callable[[Sample], float]) -> float | None:
    """How much a value grows in an hour: least squares, one slope, each life with a level of its own.

    None when no life has two samples.
    """
    over = under = 0.0
    for life in lives(samples).values():
        middle_s = statistics.fmean(sample.at_s for sample in life)
        level = statistics.fmean(map(value, life))
        over += sum((sample.at_s - middle_s) * (value(sample) - level) for sample in life)
        under += sum((sample.at_s - middle_s) ** 2 for sample in life)
    return HOUR_S * over / under if under else None
