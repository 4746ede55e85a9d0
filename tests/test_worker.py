"""What makes a worker leave by itself."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest

from bubbles import worker
from bubbles.app import House
from bubbles.config import Settings
from bubbles.shift import Shift

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Leaving:
    """Workers that leave when they are told to."""

    shift: Shift = field(default_factory=Shift)

    def stop(self) -> None:
        self.shift.leaving.set()


@pytest.mark.parametrize(("back", "leaves"), [(timedelta(minutes=1), True), (timedelta(seconds=5), False)])
def test_a_worker_whose_clock_is_set_back_leaves_as_its_schedule_would_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, back: timedelta, *, leaves: bool
) -> None:
    workers, times = Leaving(), chain(repeat(NOON, 5), repeat(NOON - back))
    house = House(Settings(data_dir=tmp_path), None, None, None, now=lambda: next(times))  # type: ignore[arg-type] # unasked
    monkeypatch.setattr(worker, "WATCH_EVERY_S", 0.001)

    async def watch() -> None:
        limit_s = 60 if leaves else 1
        await asyncio.wait_for(worker._watch(house, workers, workers.shift), limit_s)  # type: ignore[arg-type] # as one

    if leaves:
        asyncio.run(watch())
    else:
        with pytest.raises(TimeoutError):
            asyncio.run(watch())
