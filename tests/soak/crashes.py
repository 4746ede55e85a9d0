"""Crashes again and again, at points that a seed chooses, and once more, or twice, while the house recovers.

python -m pytest -m soak tests/soak/crashes.py [--seed 1] [--repeats 300] [-s]

tests/faults/test_crash_points.py kills once, everywhere. Whatever recovers from that is killed here too: what is
asked again, what upkeep does, what takes over. `make test` does not collect it.
"""

import json
import random
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from tests.faults import lives
from tests.faults.conftest import Grounds
from tests.faults.crash import Fuse
from tests.faults.flows import EVERY_FLOW
from tests.faults.lives import Ground, Life, life
from tests.faults.trial import A_MINUTE, die, recover
from tests.faults.warm import Warm

NEVER = 1 << 30
KILLS_MAX = 4
AGAIN = 0.6
"""How probable a further kill is after each."""


def die_again(ground: Ground, flow: str, kill_at: int) -> None:
    """A process that recovers as after a crash, and dies at the n-th operation of that if there are so many."""
    with life(ground) as alive:
        fuse = Fuse(ground.folder, ground.notes, kill_at=kill_at)
        fuse.lay()
        fuse.before(Life, "told", lambda *_, **__: "the answer")
        fuse.arm()
        EVERY_FLOW[flow].reopen(alive)
        alive.wait(A_MINUTE)
        EVERY_FLOW[flow].again(alive)
        alive.run_schedule()
        fuse.disarm()


def later(minutes: int, call: Callable[..., None], *args: object) -> None:
    """Has a process live so many minutes later: each that dies has lived a minute after the one before."""
    lives.Clock = partial(lives.Clock, ahead=minutes * A_MINUTE)  # type: ignore[misc,assignment] # in this one alone
    call(*args)


class Trials:
    """Houses that are killed as a seed says."""

    def __init__(self, grounds: Grounds, warm: Warm, seed: int) -> None:
        self._grounds = grounds
        self._warm = warm
        self._chance = random.Random(f"{seed} {bool(grounds.template.blob_url)}")
        self.kills: Counter[str] = Counter()
        self.points = {flow: self._points(flow) for flow in EVERY_FLOW}

    def _points(self, flow: str) -> tuple[int, int]:
        """How many points there are in a flow, and in recovering from its first half."""
        ground = self._grounds.new()
        assert self._run(die, ground, flow, NEVER) == 0
        count = len(ground.notes.read_text().splitlines())
        ground = self._grounds.new()
        self._run(die, ground, flow, max(1, count // 2))
        ground.notes.unlink()
        assert self._run(die_again, ground, flow, NEVER) == 0
        return count, len(ground.notes.read_text().splitlines())

    def _run(self, act: Callable[..., None], ground: Ground, flow: str, kill_at: int, *, minutes: int = 0) -> int:
        status = self._warm.run(later, minutes, act, ground, flow, kill_at)
        assert status in {0, -signal.SIGKILL}, (ground.folder / "log").read_text()
        return status

    def once(self) -> tuple[str, list[str]]:
        """A house that is killed up to `KILLS_MAX` times; how, and the promises that are broken."""
        flow, ground = self._chance.choice(list(EVERY_FLOW)), self._grounds.new()
        within, recovering = self.points[flow]
        told, count, died = [flow], 0, True
        while died and count < KILLS_MAX and (not count or self._chance.random() < AGAIN):
            act, points = (die_again, recovering) if count else (die, within)
            kill_at = self._chance.randint(1, points)
            died = self._run(act, ground, flow, kill_at, minutes=count) != 0
            count += died
            told.append(f"{kill_at}: {ground.notes.read_text().splitlines()[-1] if died else 'survived'}")
        self.kills[f"{count} kills"] += 1
        assert self._warm.run(later, count, recover, ground, flow) == 0, (told, (ground.folder / "log").read_text())
        return "; ".join(told), json.loads((ground.folder / "broken").read_text())


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_crashes_in_a_row_break_no_promise(grounds: Grounds, warm: Warm, request: pytest.FixtureRequest) -> None:
    trials, found = Trials(grounds, warm, request.config.getoption("seed")), {}
    for _ in range(request.config.getoption("repeats")):
        told, broken = trials.once()
        if broken:
            found[told] = broken
    print(f"points, and those of recovering: {trials.points}; {dict(trials.kills)}")
    assert not found, json.dumps(found, indent=1)
