"""A house is killed before every durable operation of all it does, and keeps its promises every time."""

import json
import signal

import pytest

from tests.faults.conftest import Grounds
from tests.faults.flows import EVERY_FLOW
from tests.faults.trial import die, recover
from tests.faults.warm import Warm

FLOORS = {
    "accept": (15, 7),
    "normalise": (30, 16),
    "transcribe": (14, 10),
    "publish": (45, 23),
    "edit": (12, 12),
    "withdraw": (17, 12),
    "withdraw early": (45, 25),
    "leave": (20, 15),
    "sweep": (18, 12),
    "move": (46, 18),
    "backup": (38, 5),
    "restore": (19, 6),
}
"""How many points there are at least, with a disk and with a bucket: none vanishes quietly."""

REPEATED = {
    "publish": "accept, normalise and transcribe do the same in a bucket, and it is tried on a disk",
    "withdraw early": "normalise and withdraw do the same in a bucket, and it is tried on a disk",
    "leave": "withdraw does the same in a bucket, and it is tried on a disk",
    "backup": "of a bucket it only reads",
}
"""What is left to `pytest -m soak` with a bucket, and why."""

IN_A_BUCKET = [pytest.param(flow, marks=[pytest.mark.soak] if flow in REPEATED else []) for flow in EVERY_FLOW]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("grounds", ["disk"], indirect=True)
@pytest.mark.parametrize("flow", EVERY_FLOW)
def test_a_crash_anywhere_breaks_no_promise_on_a_disk(grounds: Grounds, warm: Warm, flow: str) -> None:
    assert killed_everywhere(grounds, warm, flow) >= FLOORS[flow][0]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("grounds", ["s3"], indirect=True)
@pytest.mark.parametrize("flow", IN_A_BUCKET)
def test_a_crash_anywhere_breaks_no_promise_in_a_bucket(grounds: Grounds, warm: Warm, flow: str) -> None:
    assert killed_everywhere(grounds, warm, flow) >= FLOORS[flow][1]


def killed_everywhere(grounds: Grounds, warm: Warm, flow: str) -> int:
    """Kills a house at each point, lets it recover, looks at its promises; how many points there were."""
    found, kill_at, died = {}, 0, True
    while died:
        kill_at += 1
        ground = grounds.new()
        status = warm.run(die, ground, flow, kill_at)
        assert status in {0, -signal.SIGKILL}, (ground.folder / "log").read_text()
        died = status != 0
        notes = ground.notes.read_text().splitlines()
        assert warm.run(recover, ground, flow) == 0, f"killed {notes[-1] if died else 'never'}"
        broken = json.loads((ground.folder / "broken").read_text())
        if broken:
            found[f"{kill_at}: {notes[-1] if died else 'not killed'}"] = broken
    print(f"{flow}: killed at {kill_at - 1} points")
    assert not found, json.dumps(found, indent=1)
    return kill_at - 1
