"""Everything that can go wrong outside, while each thing is done: no promise is broken once it is well again."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from bubbles.blobs.bucket import Patience
from bubbles.errors import Missing
from bubbles.speech.transcriber import FakeTranscriber
from tests.faults.conftest import Grounds
from tests.faults.flows import FLOWS
from tests.faults.lives import Ground, Life, life
from tests.faults.proxy import Fault, FaultProxy, Rule
from tests.faults.trial import recover
from tests.faults.warm import Warm

CHANGE, ANY, READ = "^(PUT|DELETE) ", "^(PUT|DELETE|GET|HEAD) ", "^GET "
HOUR = timedelta(hours=1)
IMPATIENT = Patience(connect_s=1, silence_s=0.5, call_s=1)
"""A bucket that stalls is waited for this long, so that the test need not wait as long as the house would."""


@dataclass(frozen=True)
class Trouble:
    """A fault of the store or the database: what befalls which requests. `nth` 0 is all of them."""

    part: str
    fault: Fault
    fitting: str
    nth: int = 0

    def befall(self, proxies: dict[str, FaultProxy]) -> Rule:
        return proxies[self.part].add(self.fault, self.fitting, nth=self.nth)


OUTSIDE = {
    "the store refuses": Trouble("store", Fault.REFUSE, ANY),
    "the store answers 503": Trouble("store", Fault.UNAVAILABLE, ANY),
    "the store stalls": Trouble("store", Fault.STALL, ANY),
    "the store resets once": Trouble("store", Fault.RESET, CHANGE, nth=1),
    "the store's answers are lost": Trouble("store", Fault.LOSE_ANSWER, CHANGE),
    "the store returns wrong bytes": Trouble("store", Fault.WRONG_BYTES, READ),
    "the database is restarted": Trouble("database", Fault.REFUSE, "", nth=12),
    "the first commit is cut": Trouble("database", Fault.REFUSE, "^COMMIT", nth=1),
    "the second commit is cut": Trouble("database", Fault.REFUSE, "^COMMIT", nth=2),
    "the first commit's answer is lost": Trouble("database", Fault.LOSE_ANSWER, "^COMMIT", nth=1),
    "the second commit's answer is lost": Trouble("database", Fault.LOSE_ANSWER, "^COMMIT", nth=2),
}


class Failing(FakeTranscriber):
    """A model that is absent, hangs until its deadline, or eats all memory."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def transcribe(self, samples: object, *, language: str | None) -> object:  # type: ignore[override]
        raise self._error


def fail_to_hear(error: Exception) -> Callable[[Life], None]:
    return lambda life: object.__setattr__(life.house, "transcriber", Failing(error))


def fill_the_disk(life: Life) -> None:
    """Nothing more can be written where blobs lie."""

    def full(handle: int, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    os.write = full


def move_clock(by: timedelta) -> Callable[[Life], None]:
    return lambda life: setattr(life.clock, "ahead", by)


INSIDE: dict[str, Callable[[Life], None]] = {
    "the disk is full": fill_the_disk,
    "the clock is an hour ahead": move_clock(HOUR),
    "the clock is an hour behind": move_clock(-HOUR),
    "the model is absent": fail_to_hear(Missing("model", "fetch it")),
    "the model hangs": fail_to_hear(TimeoutError("the model took too long")),
    "the model eats all memory": fail_to_hear(Missing("memory", "give more")),
}


def prepare(ground: Ground, flow: str) -> None:
    """What was there before anything went wrong."""
    with life(ground) as alive:
        alive.settle()
        FLOWS[flow].prepare(alive)


def suffer(ground: Ground, flow: str, trouble: str) -> None:
    """A process that does what the flow says, notes whether that went well, and ends without another word."""
    with life(ground) as alive:
        remember = os.write
        INSIDE.get(trouble, lambda _: None)(alive)
        try:
            FLOWS[flow].act(alive)
        except Exception as error:
            note = repr(error)
        else:
            note = "done"
        os.write = remember
        ground.notes.write_text(note)
        os._exit(0)  # what is cut off is not closed either


UNTOUCHED = {
    *(("the store returns wrong bytes", flow) for flow in ("accept", "withdraw", "leave", "sweep")),
    ("the store resets once", "edit"),
    ("the store's answers are lost", "edit"),
}
"""What a flow does not ask of the store cannot fail."""

HEARD_IN = ("transcribe", "edit")
FLOWS_TRIED = [flow for flow in FLOWS if flow not in {"publish", "withdraw early"}]
"""The others are made of these."""


def cells(troubles: Iterator[str] | dict[str, object]) -> list[tuple[str, str]]:
    """Each trouble with each flow that it can befall."""
    every = [(trouble, flow) for trouble in troubles for flow in FLOWS_TRIED]
    deaf = [(trouble, flow) for trouble, flow in every if "model" in trouble and flow not in HEARD_IN]
    return [cell for cell in every if cell not in {*UNTOUCHED, *deaf}]


@pytest.fixture(scope="module")
def proxies(grounds: Grounds) -> Iterator[dict[str, FaultProxy]]:
    """What stands between the house and its database and, if that is a bucket, its store."""
    with FaultProxy.before(grounds.template.database_url) as database:
        if not grounds.template.blob_url:
            yield {"database": database}
            return
        endpoint = parse_qs(urlsplit(grounds.template.blob_url).query)["endpoint"][0]
        with FaultProxy.before(endpoint) as store:
            yield {"database": database, "store": store}


def through(ground: Ground, proxies: dict[str, FaultProxy]) -> Ground:
    """The same house, reached by way of the proxies."""
    url = proxies["database"].through(ground.database_url)
    if "store" not in proxies:
        return replace(ground, database_url=url)
    endpoint = parse_qs(urlsplit(ground.blob_url).query)["endpoint"][0]
    blob_url = ground.blob_url.replace(endpoint, f"http://127.0.0.1:{proxies['store'].port}")
    return replace(ground, database_url=url, blob_url=blob_url, patience=IMPATIENT)


@pytest.mark.parametrize("grounds", ["s3"], indirect=True)
@pytest.mark.parametrize(("trouble", "flow"), cells(OUTSIDE))
def test_what_fails_outside_breaks_no_promise(
    grounds: Grounds, warm: Warm, proxies: dict[str, FaultProxy], trouble: str, flow: str
) -> None:
    ground = grounds.new()
    assert warm.run(prepare, ground, flow) == 0
    rule = OUTSIDE[trouble].befall(proxies)
    try:
        assert warm.run(suffer, through(ground, proxies), flow, trouble) == 0
    finally:
        for proxy in proxies.values():
            proxy.heal()
    assert rule.fired
    look(ground, warm, flow)


@pytest.mark.parametrize("grounds", ["disk"], indirect=True)
@pytest.mark.parametrize(("trouble", "flow"), cells(INSIDE))
def test_what_this_machine_lacks_breaks_no_promise(grounds: Grounds, warm: Warm, trouble: str, flow: str) -> None:
    ground = grounds.new()
    assert warm.run(prepare, ground, flow) == 0
    assert warm.run(suffer, ground, flow, trouble) == 0
    look(ground, warm, flow)


def look(ground: Ground, warm: Warm, flow: str) -> None:
    """When all is well again whoever got no answer asks again, and every promise holds."""
    ended = ground.notes.read_text()
    assert warm.run(recover, ground, flow) == 0, ended
    assert json.loads((ground.folder / "broken").read_text()) == [], ended
