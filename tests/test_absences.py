"""What is away is said once, then how often, then that it is back; by all threads of a process together."""

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
    ours = [line for line in lines if line["event"] != "back"]  # which the process's own may say of another test's part
    return [(line["event"], line["part"], line.get("times"), line.get("for_s")) for line in ours]


def test_what_is_away_is_said_once_however_many_miss_it(absences: Absences) -> None:
    def miss() -> None:
        with ThreadPoolExecutor(8) as threads:
            for _ in range(500):
                threads.submit(absences.missed, "lamp", "Look at it.")

    assert events(miss) == [("missing", "lamp", None, None)]


def test_what_stays_away_is_told_again_with_how_often_it_was_missed(absences: Absences, clock: Clock) -> None:
    for _ in range(11):
        absences.missed("lamp", "")
    clock.now_s += SAY_AGAIN_S
    assert events(lambda: absences.missed("lamp", "")) == [("still_missing", "lamp", 11, SAY_AGAIN_S)]
    assert events(lambda: absences.missed("lamp", "")) == []


def test_what_is_back_is_said_once_it_has_worked_and_nobody_has_missed_it_for_some_time(
    absences: Absences, clock: Clock
) -> None:
    absences.missed("lamp", "")
    clock.now_s += 60
    absences.missed("lamp", "")
    with capture_logs() as lines:
        absences.worked("lamp")
        absences.worked("lamp")
        wait_for(lambda: [line for line in lines if line["part"] == "lamp"])
        assert [(line["event"], line["for_s"]) for line in lines if line["part"] == "lamp"] == [("back", 60)]
        absences.missed("lamp", "")
    assert [line["event"] for line in lines if line["part"] == "lamp"] == ["back", "missing"]


def test_what_works_by_halves_is_not_back(clock: Clock) -> None:
    absences = Absences(quiet_s=3, now_s=clock)  # time enough to miss it again on a busy machine
    with capture_logs() as lines:
        absences.missed("lamp", "")
        absences.worked("lamp")
        clock.now_s += 1
        absences.missed("lamp", "")
        wait_for(lambda: absences._away["lamp"].timer is None)
        assert [line["event"] for line in lines if line["part"] == "lamp"] == ["missing"]


def test_each_part_is_told_of_apart(absences: Absences) -> None:
    told = events(lambda: [absences.missed(part, "") for part in ("lamp", "oven", "lamp")])
    assert [part for _, part, *_ in told] == ["lamp", "oven"]


def test_what_works_is_no_news(absences: Absences) -> None:
    assert events(lambda: absences.worked("lamp", "oven")) == []


def test_it_remembers_few_parts_whatever_it_is_told(absences: Absences) -> None:
    told = events(lambda: [absences.missed(f"part {number}", "") for number in range(10_000)])
    assert len(told) == PARTS_MAX
    assert told[-1][1] == OTHER
