"""A service under steady traffic while something goes wrong every minute: `make soak`.

python -m tests.soak [--minutes 30] [--seed 1] [--fault-every-s 60] [--upload-every-s 8] [--only REGEX] [--keep FOLDER]

Two webs and two workers, a data folder each, with one PostgreSQL and one bucket, each behind our fault proxy. Once
the time is over everything settles, and every promise of tests/faults/promises.py is looked at. The exit status is 1
when one is broken, or somebody noticed something that no fault explains.
"""

import argparse
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from bubbles import accounts, ids
from bubbles.model.times import utc_now
from bubbles.model.token import Token
from tests.soak import ending, report
from tests.soak.asking import Asking
from tests.soak.faults import KINDS, Kind, Window
from tests.soak.gauges import Gauges
from tests.soak.people import Known, People, Voice
from tests.soak.stage import Machine, Stage, playing, staged

AUTHORS = 20
POLL_S = 0.2
WELL_MAX_S = 150.0
QUIET_S = 20.0
"""How long everything is left in peace after the last fault, while people go on."""


@dataclass(frozen=True)
class Plan:
    """What is to be played."""

    minutes: float
    seed: int
    fault_every_s: float
    upload_every_s: float
    only: str


def kinds(plan: Plan) -> Iterator[Kind]:
    """The faults to come: each kind once in an order of the seed's, then all again in another."""
    chance = random.Random(plan.seed)
    fitting = [kind for kind in KINDS if re.search(plan.only, kind.name)]
    while True:
        yield from chance.sample(fitting, len(fitting))


def victim(stage: Stage, kind: Kind) -> Machine:
    """The last machine of the role: the first ones live as long as they can, so that their memory can be told."""
    return (stage.webs if kind.role == "web" else stage.workers)[-1]


def befall(stage: Stage, kind: Kind, windows: list[Window], *, every_s: float) -> None:
    """One fault from its beginning until all is well again."""
    began_s, target = time.time(), victim(stage, kind)
    window = Window(kind, target.name if kind.role else "", began_s)
    windows.append(window)
    report.say(f"{kind.name} {window.target}")
    undo = kind.begin(stage, target)
    time.sleep(min(kind.lasts_s, every_s * 2 / 3))
    undo()
    time.sleep(2)  # whoever was killed is noticed first
    while not (is_well := stage.is_well()) and time.time() < began_s + WELL_MAX_S:
        time.sleep(POLL_S)
    window.well_s, window.is_well = time.time(), is_well
    report.say(f"{'well again' if is_well else 'NOT well'} after {window.well_s - began_s:.1f} s")


def play(stage: Stage, plan: Plan, windows: list[Window]) -> None:
    """Faults at their times, until the time is over; one that is due before all is well again does not come."""
    began_s, to_come = time.time(), kinds(plan)
    due_s = began_s + plan.fault_every_s
    while due_s + QUIET_S <= began_s + plan.minutes * 60:
        if time.time() <= due_s:
            time.sleep(due_s - time.time())
            befall(stage, next(to_come), windows, every_s=plan.fault_every_s)
        due_s += plan.fault_every_s
    time.sleep(max(0.0, began_s + plan.minutes * 60 - time.time()))


def tokens(stage: Stage) -> list[str]:
    """What authors show who each have an account."""
    house, secrets = stage.life.house, [f"author-{number}-tells-nobody" for number in range(AUTHORS)]
    with house.database.transaction() as session:
        accounts.first(session, now=utc_now())
        for number, secret in enumerate(secrets):
            account = accounts.create(session, f"author{number}", now=utc_now())
            session.add(Token(account_id=account.id, secret_hash=ids.hashed(secret), created_at=utc_now()))
    return secrets


def soak(folder: Path, plan: Plan) -> bool:
    """Plays it, prints what came of it; whether nothing was broken or unexplained."""
    with staged(folder, webs=2, workers=2) as stage:
        windows: list[Window] = []
        known = Known()
        asking = Asking({web.name: web.url for web in stage.webs}, gone=known.is_going)
        people = People(
            asking, stage.life.told, tokens(stage), Voice(folder), plan.seed, plan.upload_every_s, known=known
        )
        gauges = Gauges(stage)
        with playing(stage), ExitStack() as stack:
            report.say("all is up")
            began_s = time.time()
            stopped = Event()
            watching = gauges.watch(stopped)
            stack.callback(watching.join)
            stack.callback(stopped.set)
            with people.here():
                play(stage, plan, windows)
            report.say("people have left")
            settled_s = ending.settle(stage)
            gauges.look()
        report.say("machines have left")
        found = ending.states(stage)
        broken = ending.broken_promises(stage)
        troubles = [*asking.troubles, *ending.deaths(stage), *ending.logged(stage), *ending.given_up(found)]
        troubles += ending.unhealed(windows)
        unexplained = [each for each in troubles if not any(window.explains(each) for window in windows)]
        report.tell(people, windows, troubles, unexplained)
        report.tell_growth(gauges, since_s=began_s + min(300, plan.minutes * 20))
        report.tell_end(settled_s, found, broken, unexplained)
    return not broken and not unexplained


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault-every-s", type=float, default=60)
    parser.add_argument("--upload-every-s", type=float, default=8, help="seconds between two uploads")
    parser.add_argument("--only", default="", help="only faults in whose name this expression is found")
    parser.add_argument("--keep", type=Path, help="a folder to play in, which is kept")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # whatever was started is ended
    plan = Plan(given.minutes, given.seed, given.fault_every_s, given.upload_every_s, given.only)
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = given.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        return 0 if soak(folder.resolve(), plan) else 1


if __name__ == "__main__":
    sys.exit(main())
