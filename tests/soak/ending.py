"""The end of a soak: everything settles, then every promise is looked at."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlmodel import select

from bubbles import upkeep
from bubbles.chores import workdir
from bubbles.model.bubble import Bubble, State
from tests.faults import promises
from tests.faults.trial import A_MINUTE, LATER
from tests.soak.faults import Trouble, Window
from tests.soak.stage import Machine, Stage

SETTLE_MAX_S = 600.0
LOOK_EVERY_S = 2.0
UNDER_WAY = (
    "SELECT (SELECT count(*) FROM step JOIN bubble ON bubble.id = bubble_id"
    " WHERE finished_at IS NULL AND gave_up_at IS NULL AND withdrawn_at IS NULL)"
    " + (SELECT count(*) FROM procrastinate_jobs WHERE queue_name IN ('normalise', 'transcribe')"
    " AND status IN ('todo', 'doing'))"
)

FAILED = "is failed"
"""A job that failed with the database is forgotten after a day; what it was for has a job of its own since."""


def settle(stage: Stage) -> float:
    """Waits until no journey is under way; the seconds it took."""
    began_s = time.monotonic()
    while stage.asked(UNDER_WAY) != 0 and time.monotonic() - began_s < SETTLE_MAX_S:
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - began_s


def broken_promises(stage: Stage) -> list[str]:
    """Every promise that does not hold, a minute later and once a week of upkeep has passed; no machine is up."""
    life = stage.life
    life.wait(A_MINUTE)
    life.run_schedule()
    found = promises.broken(life, a_day_later=False)
    life.wait(LATER)
    life.run_schedule()
    found += promises.broken(life, a_day_later=True)
    found = [each for each in found if not each.endswith(FAILED)]
    return found + [f"{machine.name} keeps {path}" for machine in stage.machines for path in _left(stage, machine)]


def _left(stage: Stage, machine: Machine) -> list[Path]:
    """Temporary files of a machine that its own sweep leaves, when it is time."""
    house = stage.life.house
    own = replace(house, settings=house.settings.model_copy(update={"data_dir": machine.data}))
    folders = [workdir(own), own.settings.uploads_dir]
    for folder in folders:
        upkeep.sweep_files(folder, now=house.now())
    return [path for folder in folders for path in folder.rglob("*")]


def states(stage: Stage) -> Counter[str]:
    """How many bubbles ended how."""
    with stage.life.house.database.transaction() as session:
        return Counter(str(bubble.state) for bubble in session.exec(select(Bubble)))


def given_up(found: Counter[str]) -> list[Trouble]:
    """A journey that ended badly is allowed by the promises; in a soak it wants a reason."""
    bad = [f"{count} bubbles {state}" for state, count in found.items() if state in {State.FAILED, State.REFUSED}]
    return [Trouble(time.time(), time.time(), "", "journey", what) for what in bad]


def unhealed(windows: Iterable[Window]) -> list[Trouble]:
    """Faults that were over, and not everything was well again."""
    left = [window for window in windows if not window.is_well]
    return [Trouble(each.began_s, each.began_s, each.target, "fault", "not well again") for each in left]


def deaths(stage: Stage) -> list[Trouble]:
    """Every end of a process as somebody noticed it."""
    return [
        Trouble(death.at_s, death.at_s, death.machine, "life", f"exit {death.status}")
        for machine in stage.machines
        for death in machine.deaths
    ]


def logged(stage: Stage) -> list[Trouble]:
    """What the machines themselves call an error."""
    found = []
    for machine in stage.machines:
        for line in machine.log.read_text(errors="replace").splitlines():
            told = _told(line)
            if told.get("level") in {"error", "critical"}:
                at_s = datetime.fromisoformat(told["timestamp"]).replace(tzinfo=UTC).timestamp()
                found.append(Trouble(at_s, at_s, machine.name, "log", str(told["event"]), line[:600]))
    return found


def _told(line: str) -> dict[str, str]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
