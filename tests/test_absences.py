"""What is away is said once, then how often, then that it is back; by all threads of a process together."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from bubbles.absences import OTHER, PARTS_MAX, SAY_AGAIN_S, Absences
from tests.journey.service import wait_for


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def absences(clock: Clock) -> Absences:
    return Absences(quiet_s=0.05, now_s=clock)


def events(run: Callable[[], object]) -> list[tuple[object, ...]]:
    with capture_logs() as lines:
        run()
    return [(line["event"], line["part"], line.get("times"), line.get("for_s")) for line in lines]


def test_what_is_away_is_said_once_however_many_miss_it(absences: Absences) -> None:
    def miss() -> None:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(500):
                threads.submit(absences.missed, "store", "Look at it.")

    assert events(miss) == [("missing", "store", None, None)]


def test_what_stays_away_is_told_again_with_how_often_it_was_missed(absences: Absences, clock: Clock) -> None:
    for _ in range(11):
        absences.missed("store", "")
    clock.now_s += SAY_AGAIN_S
    assert events(lambda: absences.missed("store", "")) == [("still_missing", "store", 11, SAY_AGAIN_S)]
    assert events(lambda: absences.missed("store", "")) == []


def test_what_is_back_is_said_once_it_has_worked_and_nobody_has_missed_it_for_some_time(
    absences: Absences, clock: Clock
) -> None:
    absences.missed("store", "")
    clock.now_s += 60
    absences.missed("store", "")
    with capture_logs() as lines:
        absences.worked("store")
        absences.worked("store")
        wait_for(lambda: lines)
        assert [(line["event"], line["part"], line["for_s"]) for line in lines] == [("back", "store", 60)]
        absences.missed("store", "")
    assert lines[-1]["event"] == "missing"


def test_what_works_by_halves_is_not_back(absences: Absences, clock: Clock) -> None:
    with capture_logs() as lines:
        absences.missed("store", "")
        absences.worked("store")
        clock.now_s += 1
        absences.missed("store", "")
        wait_for(lambda: not any(isinstance(each, threading.Timer) for each in threading.enumerate()))
        assert [line["event"] for line in lines] == ["missing"]


def test_each_part_is_told_of_apart(absences: Absences) -> None:
    told = events(lambda: [absences.missed(part, "") for part in ("store", "model", "store")])
    assert [part for _, part, *_ in told] == ["store", "model"]


def test_what_works_is_no_news(absences: Absences) -> None:
    assert events(lambda: absences.worked("store", "model")) == []


def test_it_remembers_few_parts_whatever_it_is_told(absences: Absences) -> None:
    told = events(lambda: [absences.missed(f"part {number}", "") for number in range(10_000)])
    assert len(told) == PARTS_MAX
    assert told[-1][1] == OTHER
