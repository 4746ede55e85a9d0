"""What makes a worker leave by itself."""

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest

from bubbles import worker
from bubbles.app import House
from bubbles.config import Settings
from bubbles.model.step import Step, StepName
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


@pytest.mark.parametrize("answers", [True, False])
def test_a_step_that_hangs_counts_as_tried_before_its_worker_leaves_unless_the_database_hangs_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    workers, told, answer = Leaving(), [], threading.Event()
    house = House(Settings(data_dir=tmp_path), None, None, None, now=lambda: NOON)  # type: ignore[arg-type] # unasked

    def count(_: House, step: Step) -> None:
        answer.wait(60)
        told.append((step.bubble_id, workers.shift.leaving.is_set()))

    monkeypatch.setattr(worker, "WATCH_EVERY_S", 0.001)
    monkeypatch.setattr(worker, "COUNT_MAX_S", 60 if answers else 0.1)
    monkeypatch.setattr(worker.pipeline, "took_too_long", count)
    threading.Timer(0.1 if answers else 0.5, answer.set).start()
    with workers.shift.task("normalise", deadline_s=-1, step=Step(bubble_id=7, name=StepName.NORMALISE)):
        asyncio.run(worker._watch(house, workers, workers.shift))  # type: ignore[arg-type] # as one
    assert told == [(7, not answers)]
