"""A trial: a house is killed in the middle of something, comes back, and is looked at."""

import json
from datetime import timedelta

from tests.faults import promises
from tests.faults.crash import Fuse
from tests.faults.flows import EVERY_FLOW, FLOWS
from tests.faults.lives import Ground, Life, life

A_MINUTE = timedelta(minutes=1)
LATER = timedelta(days=8)
"""Longer than anything is kept that nobody needs."""


def die(ground: Ground, flow: str, kill_at: int) -> None:
    """A process that does what the flow says, and dies at the n-th operation if there are so many."""
    with life(ground) as alive:
        alive.settle()
        EVERY_FLOW[flow].prepare(alive)
        fuse = Fuse(ground.folder, ground.notes, kill_at=kill_at)
        fuse.lay()
        fuse.before(Life, "told", lambda *_, **__: "the answer")
        fuse.arm()
        EVERY_FLOW[flow].act(alive)
        fuse.disarm()


def recover(ground: Ground, flow: str) -> None:
    """A process after the crash: who got no answer asks again, upkeep does its work, and the promises are looked at."""
    with life(ground) as alive:
        EVERY_FLOW[flow].reopen(alive)
        alive.wait(A_MINUTE)
        EVERY_FLOW[flow].again(alive)
        EVERY_FLOW[flow].after(alive)
        alive.run_schedule()
        found = promises.broken(alive, a_day_later=False)
        alive.wait(LATER)
        alive.run_schedule()
        found += promises.broken(alive, a_day_later=True)
    (ground.folder / "broken").write_text(json.dumps(found))


def rehearse(ground: Ground) -> None:
    """All of it, once, and nobody dies."""
    with life(ground) as alive:
        alive.settle()
        FLOWS["withdraw"].prepare(alive)
        FLOWS["withdraw"].act(alive)
        alive.run_schedule()
        promises.broken(alive, a_day_later=True)
