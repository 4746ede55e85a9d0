"""A step that has died runs alone, and nobody waits for ever."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from bubbles.shift import Shift

PATIENCE_S = 60


def inside(shift: Shift, came: Event, leave: Event, *, alone: bool) -> None:
    with shift.room(alone=alone):
        came.set()
        assert leave.wait(PATIENCE_S)


def test_many_are_beside_each_other() -> None:
    shift = Shift()
    with shift.room(alone=False), shift.room(alone=False):
        pass


@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False), (True, True)])
def test_one_that_is_to_be_alone_is(*, first: bool, second: bool) -> None:
    shift, comes, came, leave = Shift(), Event(), Event(), Event()
    leave.set()
    with ThreadPoolExecutor(1) as pool:
        with shift.room(alone=first):
            other = pool.submit(lambda: (comes.set(), inside(shift, came, leave, alone=second)))
            assert comes.wait(PATIENCE_S)
            assert not came.wait(0.2)
        other.result(PATIENCE_S)
    assert came.is_set()


def test_who_comes_later_does_not_keep_one_from_being_alone() -> None:
    shift, leave = Shift(), Event()
    here, alone, later = Event(), Event(), Event()
    with ThreadPoolExecutor(3) as pool:
        pool.submit(inside, shift, here, leave, alone=False)
        assert here.wait(PATIENCE_S)
        second = pool.submit(inside, shift, alone, leave, alone=True)
        while not shift._want_to_be_alone:
            assert not second.done()
        third = pool.submit(inside, shift, later, leave, alone=False)
        assert not later.wait(0.2)
        leave.set()
        second.result(PATIENCE_S)
        third.result(PATIENCE_S)
    assert alone.is_set()
    assert later.is_set()


def test_nobody_waits_in_a_shift_that_is_leaving() -> None:
    shift = Shift()
    with shift.room(alone=True):
        shift.leaving.set()
        with shift.room(alone=True), shift.room(alone=False):
            pass


def test_what_runs_past_its_deadline_is_overdue() -> None:
    shift = Shift()
    with shift.task("in time", deadline_s=60), shift.task("late", deadline_s=-1):
        assert [task.name for task in shift.overdue()] == ["late"]
