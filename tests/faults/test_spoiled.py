"""Sound that the store has spoiled: tried again for a while, then told. A wrong byte on the way is waited out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from bubbles import retry
from bubbles.db import steps
from bubbles.model.bubble import Bubble
from bubbles.model.step import Step, StepName
from tests.faults import promises
from tests.faults.conftest import Grounds
from tests.faults.flows import playable, post, put
from tests.faults.lives import Ground, Life, life
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.test_matrix import proxies, through
from tests.faults.warm import Warm

__all__ = ["proxies"]

HOUR = timedelta(hours=1)


def spoil(life: Life, beginning: str = "") -> Callable[[], None]:
    """Gives the blobs other bytes; returns how to mend them."""
    blobs = life.house.blobs
    kept = {key: b"".join(blobs.open_range(key, 0, blobs.size(key))) for key in blobs.keys(beginning)}
    for key, content in kept.items():
        replace(life, key, content[::-1])

    def mend() -> None:
        for key, content in kept.items():
            replace(life, key, content)

    return mend


def replace(life: Life, key: str, content: bytes) -> None:
    life.house.blobs.delete(key)
    put(life, key, content)


def the_bubble(session: Session) -> Bubble:
    return session.exec(select(Bubble)).one()


def step_of(life: Life, name: StepName) -> Step:
    with life.house.database.transaction() as session:
        found = steps.of(session, the_bubble(session).id, name)
    assert found is not None
    return found


def try_again_by_hand(life: Life) -> None:
    with life.house.database.transaction() as session:
        retry.retry(session, the_bubble(session), now=life.clock())
    life.work()


def told(life: Life) -> Any:
    return life.client.get(f"/api/bubbles/{life.code('one')}").json()


def try_to_the_end(life: Life, name: StepName) -> None:
    """Lets every try have its hour, each of which says what is wrong."""
    life.house.settings.attempts_max = 3
    life.work()
    for tries in range(1, 3):
        step = step_of(life, name)
        assert (step.waiting_for, step.tries, step.gave_up_at) == ("spoiled", tries, None)
        life.wait(HOUR)
        life.work()
    assert step_of(life, name).error == "spoiled"


def listed(life: Life) -> list[tuple[str, str, str | None]]:
    with life.house.database.transaction() as session:
        found = steps.unfinished(session, gave_up=True, limit=10)
        return [(code, step.name, step.error) for code, step in found]


def lose_the_recording(ground: Ground) -> None:
    with life(ground) as alive:
        alive.settle()
        post(alive)
        mend = spoil(alive, "recordings/")
        try_to_the_end(alive, StepName.NORMALISE)
        assert (told(alive)["state"], told(alive)["failed_reason"]) == ("failed", "spoiled")
        assert listed(alive) == [(alive.code("one"), "normalise", "spoiled")]
        mend()
        try_again_by_hand(alive)
        assert (told(alive)["state"], told(alive)["failed_reason"]) == ("ready", None)


def lose_all_sound(ground: Ground) -> None:
    with life(ground) as alive:
        alive.settle()
        playable(alive)
        mend = spoil(alive)
        try_to_the_end(alive, StepName.TRANSCRIBE)
        words = told(alive)["transcript"]
        assert (told(alive)["state"], words["state"], words["failed_reason"]) == ("playable", "failed", "spoiled")
        assert listed(alive) == [(alive.code("one"), "transcribe", "spoiled")]
        mend()
        try_again_by_hand(alive)
        assert (told(alive)["state"], told(alive)["transcript"]["failed_reason"]) == ("ready", None)


def lose_the_recording_alone(ground: Ground) -> None:
    with life(ground) as alive:
        alive.settle()
        playable(alive)
        spoil(alive, "recordings/")
        alive.work()
        assert (told(alive)["state"], told(alive)["transcript"]["state"]) == ("ready", "done")


@pytest.mark.parametrize("grounds", ["disk"], indirect=True)
@pytest.mark.parametrize("lose", [lose_the_recording, lose_all_sound, lose_the_recording_alone])
def test_spoiled_sound_is_tried_again_then_given_up_and_told(
    grounds: Grounds, warm: Warm, lose: Callable[[Ground], None]
) -> None:
    assert warm.run(lose, grounds.new()) == 0


def wait_for_the_store(ground: Ground) -> None:
    with life(ground) as alive:
        alive.house.settings.attempts_max = 1
        alive.settle()
        post(alive)
        for _ in range(3):
            alive.work()
            alive.wait(HOUR)
            step = step_of(alive, StepName.NORMALISE)
            assert (step.waiting_for, step.tries, step.gave_up_at) == ("store", 0, None)


def be_well_again(ground: Ground) -> None:
    with life(ground) as alive:
        alive.wait(timedelta(days=1))
        alive.work()
        assert told(alive)["state"] == "ready"
        assert list(alive.house.blobs.keys("probe/")) == []
        assert promises.broken(alive, a_day_later=False) == []


@pytest.mark.parametrize("grounds", ["s3"], indirect=True)
def test_wrong_bytes_on_the_way_are_waited_out_and_use_up_no_try(
    grounds: Grounds, warm: Warm, proxies: dict[str, FaultProxy]
) -> None:
    ground = grounds.new()
    rule = proxies["store"].add(Fault.WRONG_BYTES, "^GET ")
    try:
        assert warm.run(wait_for_the_store, through(ground, proxies)) == 0
    finally:
        proxies["store"].heal()
    assert rule.fired
    assert warm.run(be_well_again, ground) == 0
