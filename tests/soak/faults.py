"""What goes wrong in a soak, one thing at a time, and what people may notice of it meanwhile."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from tests.audio.leftovers import children
from tests.faults.proxy import Fault, FaultProxy
from tests.soak.stage import Machine, Stage
from tests.soak.unlucky import AHEAD, FULL

GRACE_S = 15.0
"""How long after all is well again people may still notice: who was told to come again comes, idle lines break."""

HOUR_S = 3600
TOLD_TO_WAIT = frozenset({"503 with Retry-After"})
CUT = frozenset({"ConnectError", "ReadError", "WriteError", "RemoteProtocolError"})
SOUND, STREAM = "media", "follow"
LEFT = frozenset({"exit 0", "exit 1"})


@dataclass(frozen=True)
class Trouble:
    """Something that somebody noticed: what they did, at which machine, and what came of it."""

    at_s: float
    until_s: float
    machine: str
    what: str
    outcome: str
    detail: str = ""


Allows = Callable[[Trouble, str], bool]
"""Whether the contract allows a trouble while a fault lasts that befalls a machine, or something that all share."""

Undo = Callable[[], None]


@dataclass(frozen=True)
class Kind:
    """A kind of fault: how it begins, what ends it after `lasts_s`, what it explains. `role` is whom it befalls."""

    name: str
    begin: Callable[[Stage, Machine], Undo]
    allows: Allows
    lasts_s: float = 0
    role: str = ""


@dataclass
class Window:
    """A fault that happened. It is over once everything is well again, and `GRACE_S` have passed."""

    kind: Kind
    target: str
    began_s: float
    well_s: float | None = None
    is_well: bool = False

    def explains(self, trouble: Trouble) -> bool:
        """Whether that could be noticed of this fault, and might."""
        over_s = self.well_s + GRACE_S if self.well_s else time.time()
        meets = trouble.at_s <= over_s and trouble.until_s >= self.began_s
        if trouble.what == "log":
            return meets and trouble.outcome != "bug"
        return meets and self.kind.allows(trouble, self.target)


def nothing(trouble: Trouble, target: str) -> bool:
    """Nobody may notice."""
    return False


def its_end(*outcomes: str) -> Allows:
    """The machine ends so, and nobody else may notice."""
    return lambda trouble, target: (trouble.machine, trouble.what) == (target, "life") and trouble.outcome in outcomes


def web_stands_still(trouble: Trouble, target: str) -> bool:
    """Who asks waits; a line that was idle for so long is closed as it wakes, whatever has come by it meanwhile."""
    return trouble.machine == target and trouble.outcome in {"ReadError", "RemoteProtocolError"}


def web_is_gone(trouble: Trouble, target: str) -> bool:
    """Who asked this one is cut off, or finds nobody."""
    return trouble.machine == target and (trouble.outcome in CUT or trouble.what == "life")


def store_is_away(trouble: Trouble, target: str) -> bool:
    """Who needs the store is told to wait; sound that flows breaks off."""
    return trouble.outcome in TOLD_TO_WAIT or (trouble.what == SOUND and trouble.outcome in CUT)


def store_lies(trouble: Trouble, target: str) -> bool:
    """Ranges are sent on as they come, unverified; what is fetched whole by ourselves is not."""
    return store_is_away(trouble, target) or (trouble.what == SOUND and trouble.outcome == "wrong bytes")


def database_is_away(trouble: Trouble, target: str) -> bool:
    """All are told to wait, streams of events end, workers leave and are started again."""
    leaves = trouble.what == "life" and trouble.machine.startswith("worker") and trouble.outcome in LEFT
    return leaves or trouble.outcome in TOLD_TO_WAIT or (trouble.what == STREAM and trouble.outcome in CUT)


def disk_is_full(trouble: Trouble, target: str) -> bool:
    """Who uploads there is told to wait."""
    return trouble.machine == target and trouble.what == "upload" and trouble.outcome in TOLD_TO_WAIT


# What is done


def done() -> None:
    """Nothing is left to undo."""


def send(number: signal.Signals) -> Callable[[Stage, Machine], Undo]:
    """A signal to the machine's process."""

    def begin(stage: Stage, target: Machine) -> Undo:
        target.send(number)
        return partial(target.send, signal.SIGCONT) if number is signal.SIGSTOP else done

    return begin


def kill_speech(stage: Stage, target: Machine) -> Undo:
    """The process that holds the model, if there is one."""
    for pid in children(target.process.pid) if target.process else ():
        os.kill(pid, signal.SIGKILL)
    return done


def between(part: str, fault: Fault, fitting: str) -> Callable[[Stage, Machine], Undo]:
    """What stands before the store or the database behaves so."""

    def begin(stage: Stage, target: Machine) -> Undo:
        proxy: FaultProxy = getattr(stage, part)
        proxy.add(fault, fitting)
        return proxy.heal

    return begin


def pause_store(stage: Stage, target: Machine) -> Undo:
    """It stands still, with all its connections."""
    stage.s3.process.send_signal(signal.SIGSTOP)
    return partial(stage.s3.process.send_signal, signal.SIGCONT)


def cut_connections(stage: Stage, target: Machine) -> Undo:
    """Every connection to the database, at one stroke."""
    stage.asked(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE usename = current_user AND pid <> pg_backend_pid()"
    )
    return done


def end_database(number: signal.Signals) -> Callable[[Stage, Machine], Undo]:
    """The server is told to stop, or killed."""

    def begin(stage: Stage, target: Machine) -> Undo:
        server = stage.cluster.process()
        os.kill(server or 0, number)
        return partial(stage.wait_for_another_server, server)

    return begin


def pause_database(stage: Stage, target: Machine) -> Undo:
    """It stands still, as on a machine that is being moved."""
    postmaster = stage.cluster.process() or 0
    family = [postmaster, *children(postmaster)]

    def wake() -> None:
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    for pid in family:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    return wake


def leave_note(name: str, content: str = "") -> Callable[[Stage, Machine], Undo]:
    """The machine finds a file that makes it unlucky."""

    def begin(stage: Stage, target: Machine) -> Undo:
        note = target.folder / name
        note.write_text(content)
        return note.unlink

    return begin


ANY, CHANGE, READ = "^(PUT|DELETE|GET|HEAD) ", "^(PUT|DELETE) ", "^GET "
KINDS = [
    Kind("worker killed", send(signal.SIGKILL), its_end("exit -9"), role="worker"),
    Kind("worker drained", send(signal.SIGTERM), its_end(*LEFT), role="worker"),
    # It was given up meanwhile, and ends by its own watch once it is awake: its work has been handed over.
    Kind("worker frozen", send(signal.SIGSTOP), its_end(*LEFT), lasts_s=40, role="worker"),
    Kind("worker paused", send(signal.SIGSTOP), nothing, lasts_s=10, role="worker"),
    Kind("speech process killed", kill_speech, nothing, role="worker"),
    Kind("web killed", send(signal.SIGKILL), web_is_gone, role="web"),
    Kind("web drained", send(signal.SIGTERM), web_is_gone, role="web"),
    Kind("web paused", send(signal.SIGSTOP), web_stands_still, lasts_s=8, role="web"),
    Kind("store refuses", between("store", Fault.REFUSE, ANY), store_is_away, lasts_s=20),
    Kind("store answers 503", between("store", Fault.UNAVAILABLE, ANY), store_is_away, lasts_s=20),
    Kind("store stalls", between("store", Fault.STALL, ANY), store_is_away, lasts_s=20),
    Kind("store resets", between("store", Fault.RESET, ANY), store_is_away, lasts_s=20),
    Kind("store's answers are lost", between("store", Fault.LOSE_ANSWER, CHANGE), store_is_away, lasts_s=20),
    Kind("store returns wrong bytes", between("store", Fault.WRONG_BYTES, READ), store_lies, lasts_s=20),
    Kind("store paused", pause_store, store_is_away, lasts_s=12),
    Kind("database connections cut", cut_connections, database_is_away),
    Kind("database restarted", end_database(signal.SIGINT), database_is_away, lasts_s=1),
    Kind("database crashed", end_database(signal.SIGKILL), database_is_away, lasts_s=1),
    Kind("database refuses", between("database", Fault.REFUSE, ""), database_is_away, lasts_s=10),
    Kind("answers to COMMIT are lost", between("database", Fault.LOSE_ANSWER, "^COMMIT"), database_is_away, lasts_s=5),
    Kind("database paused", pause_database, database_is_away, lasts_s=8),
    Kind("disk of a web full", leave_note(FULL), disk_is_full, lasts_s=20, role="web"),
    Kind("disk of a worker full", leave_note(FULL), nothing, lasts_s=20, role="worker"),
    Kind("clock of a web an hour ahead", leave_note(AHEAD, str(HOUR_S)), nothing, lasts_s=20, role="web"),
    # It leaves, as its schedule would wait for the hour to come again.
    Kind(
        "clock of a worker an hour behind", leave_note(AHEAD, str(-HOUR_S)), its_end(*LEFT), lasts_s=20, role="worker"
    ),
]
