"""What goes wrong outside of a house, and which of it can befall what is done there."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.flows import EVERY_FLOW, WITH_THE_HOUSE
from tests.faults.proxy import Fault, FaultProxy, Rule

CHANGE, ANY, READ = "^(PUT|DELETE) ", "^(PUT|DELETE|GET|HEAD) ", "^GET "
COPY = "^COPY public.bubble "
"""How pg_dump reads its rows, and pg_restore writes them."""


@dataclass(frozen=True)
class Trouble:
    """A fault of the store or the database: what befalls which requests. `nth` 0 is all of them.

    `told` is in what the command that it befalls ends with.
    """

    part: str
    fault: Fault
    fitting: str
    nth: int = 0
    told: str = ""

    def befall(self, proxies: dict[str, FaultProxy]) -> Rule:
        return proxies[self.part].add(self.fault, self.fitting, nth=self.nth)


OUTSIDE = {
    "the store refuses": Trouble("store", Fault.REFUSE, ANY),
    "the store answers 503": Trouble("store", Fault.UNAVAILABLE, ANY),
    "the store stalls": Trouble("store", Fault.STALL, ANY),
    "the store resets once": Trouble("store", Fault.RESET, CHANGE, nth=1),
    "the store's answers are lost": Trouble("store", Fault.LOSE_ANSWER, CHANGE),
    "the store returns wrong bytes": Trouble("store", Fault.WRONG_BYTES, READ),
    "the first commit is cut": Trouble("database", Fault.REFUSE, "^COMMIT", nth=1),
    "the second commit is cut": Trouble("database", Fault.REFUSE, "^COMMIT", nth=2),
    "the first commit's answer is lost": Trouble("database", Fault.LOSE_ANSWER, "^COMMIT", nth=1),
    "the second commit's answer is lost": Trouble("database", Fault.LOSE_ANSWER, "^COMMIT", nth=2),
}


def _sound(fault: Fault, fitting: str, *, told: str = "does not do what it is asked") -> Trouble:
    return Trouble("store", fault, fitting, told=told)


def _rows(fault: Fault, fitting: str, *, nth: int = 1, told: str) -> Trouble:
    return Trouble("database", fault, fitting, nth=nth, told=told)


AMIDST = {
    ("the store takes no sound", "move"): _sound(Fault.REFUSE, "^PUT .*/recordings/"),
    ("the store takes sound and does not say so", "move"): _sound(Fault.LOSE_ANSWER, "^PUT .*/recordings/"),
    ("the store gives no sound", "move"): _sound(Fault.REFUSE, "^GET .*/recordings/"),
    ("the store gives sound with wrong bytes", "move"): _sound(
        Fault.WRONG_BYTES, "^GET .*/recordings/", told="The new store gives other bytes for recordings/"
    ),
    ("the store gives sound with wrong bytes", "backup"): _sound(
        Fault.WRONG_BYTES, "^GET .*/(recordings|probe)/", told="other bytes for probe/"
    ),
    ("the store does not tell what was erased", "backup"): _sound(Fault.REFUSE, "^GET .*prefix=.*erasures"),
    ("pg_dump is cut off", "backup"): _rows(Fault.REFUSE, COPY, told="pg_dump ended"),
    ("the store takes no sound", "restore"): _sound(Fault.REFUSE, "^PUT .*/recordings/"),
    ("the store takes sound and does not say so", "restore"): _sound(Fault.LOSE_ANSWER, "^PUT .*/recordings/"),
    ("the database's disk is full", "restore"): _rows(Fault.NO_ROOM, COPY, told="No space left on device"),
    ("pg_restore is cut off", "restore"): _rows(Fault.REFUSE, COPY, told="pg_restore ended"),
    ("pg_restore learns of no commit", "restore"): _rows(Fault.LOSE_ANSWER, "^COMMIT", nth=4, told="pg_restore ended"),
    ("the last commit's answer is lost", "restore"): _rows(
        Fault.LOSE_ANSWER, "^COMMIT", nth=9, told="OperationalError"
    ),
    ("the last transaction is cut off", "restore"): _rows(Fault.LOSE_ANSWER, "^DROP SCHEMA", told="OperationalError"),
}
"""What is done with a house as a whole begins by asking all parts: these let it come to its midst, or its end."""

UNTOUCHED = {
    *(("the store returns wrong bytes", flow) for flow in ("accept", "withdraw", "leave", "sweep")),
    *(("the store resets once", flow) for flow in ("edit", "backup")),
    *(("the store's answers are lost", flow) for flow in ("edit", "backup")),
    *((f"the clock is an hour {way}", "move") for way in ("ahead", "behind")),
    *(("the database's disk is full", flow) for flow in ("move", "restore")),
    *((f"the first commit{what}", flow) for what in (" is cut", "'s answer is lost") for flow in WITH_THE_HOUSE),
}
"""What a flow does not ask of the store, the clock or the database cannot fail.

Of the database, a restore needs room for the tables that it brings: `AMIDST`. Whoever moves, backs up or restores only
reads before the second commit.
"""

HEARD_IN = ("transcribe", "edit")
"""Where a model is asked: whoever moves, backs up or brings back a house hears nothing."""

FLOWS_TRIED = [flow for flow in EVERY_FLOW if flow not in {"publish", "withdraw early"}]
"""The others are made of these."""


def cells(troubles: Iterable[str]) -> list[tuple[str, str]]:
    """Each trouble with each flow that it can befall."""
    every = [(trouble, flow) for trouble in troubles for flow in FLOWS_TRIED]
    deaf = [(trouble, flow) for trouble, flow in every if "model" in trouble and flow not in HEARD_IN]
    return [cell for cell in every if cell not in {*UNTOUCHED, *deaf}]
