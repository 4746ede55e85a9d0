"""A house is killed before every durable operation of all it does, and keeps its promises every time."""

import json
import signal

import pytest

from tests.faults.conftest import Grounds
from tests.faults.flows import FLOWS
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
}
"""How many points there are at least, with a disk and with a bucket: none vanishes quietly. Together over 300."""


@pytest.mark.timeout(900)
@pytest.mark.parametrize("flow", FLOWS)
def test_a_crash_anywhere_breaks_no_promise(grounds: Grounds, warm: Warm, flow: str) -> None:
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
    assert kill_at - 1 >= FLOORS[flow][bool(grounds.template.blob_url)]
