"""Everything that can go wrong outside, while each thing is done: no promise is broken once it is well again."""

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlsplit

import pytest

from bubbles.blobs.bucket import Patience
from tests.faults.conftest import Grounds
from tests.faults.flows import FLOWS
from tests.faults.lacks import LACKS, NO_ROOM
from tests.faults.lives import Ground, life
from tests.faults.mortal import Mortal, mortal
from tests.faults.proxy import Fault, FaultProxy, Rule
from tests.faults.trial import recover
from tests.faults.warm import Warm

CHANGE, ANY, READ = "^(PUT|DELETE) ", "^(PUT|DELETE|GET|HEAD) ", "^GET "
RESTART_AT = 12
"""Which statement of a flow meets a server that crashes: in the midst of it, whichever it is."""

IMPATIENT = Patience(connect_s=1, silence_s=0.5, call_s=1)
"""A bucket is waited for this long, so that the test need not wait as long as the house would."""

HASTY = Patience(connect_s=1, silence_s=0.2, call_s=0.4)
"""And one that stalls."""


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
    "the first commit is cut": Trouble("database", Fault.REFUSE, "^COMMIT", nth=1),
    "the second commit is cut": Trouble("database", Fault.REFUSE, "^COMMIT", nth=2),
    "the first commit's answer is lost": Trouble("database", Fault.LOSE_ANSWER, "^COMMIT", nth=1),
    "the second commit's answer is lost": Trouble("database", Fault.LOSE_ANSWER, "^COMMIT", nth=2),
}


def prepare(ground: Ground, flow: str) -> None:
    """What was there before anything went wrong."""
    with life(ground) as alive:
        alive.settle()
        FLOWS[flow].prepare(alive)


def suffer(ground: Ground, flow: str, trouble: str) -> None:
    """A process that does what the flow says, notes whether that went well, and ends without another word."""
    with life(ground) as alive:
        note = "done"
        with LACKS.get(trouble, nullcontext)(alive):
            try:
                FLOWS[flow].act(alive)
            except Exception as error:
                note = repr(error)
        ground.notes.write_text(note)
        os._exit(0)  # what is cut off is not closed either


UNTOUCHED = {
    *(("the store returns wrong bytes", flow) for flow in ("accept", "withdraw", "leave", "sweep")),
    ("the store resets once", "edit"),
    ("the store's answers are lost", "edit"),
}
"""What a flow does not ask of the store cannot fail."""

NEEDED = {"the disk is full": {"withdraw", "leave", "sweep"}, "the database's disk is full": set()}
"""Room, in all flows but these."""

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
    return replace(ground, database_url=url, blob_url=blob_url)


@pytest.mark.parametrize("grounds", ["s3"], indirect=True)
@pytest.mark.parametrize(("trouble", "flow"), cells(OUTSIDE))
def test_what_fails_outside_breaks_no_promise(
    grounds: Grounds, warm: Warm, proxies: dict[str, FaultProxy], trouble: str, flow: str
) -> None:
    ground = grounds.new()
    assert warm.run(prepare, ground, flow) == 0
    rule = OUTSIDE[trouble].befall(proxies)
    try:
        patience = HASTY if "stalls" in trouble else IMPATIENT
        assert warm.run(suffer, replace(through(ground, proxies), patience=patience), flow, trouble) == 0
    finally:
        for proxy in proxies.values():
            proxy.heal()
    assert rule.fired
    look(ground, warm, flow)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    with mortal(tmp_path_factory.mktemp("mortal") / "postgresql") as server:
        yield server


@pytest.fixture(scope="module")
def mortal_grounds(grounds: Grounds, server: Mortal) -> Grounds:
    """Houses whose database crashes."""
    folder = grounds.folder / "mortal"
    folder.mkdir()
    blob_url = grounds.template.blob_url.replace("NUMBER", "mortal/NUMBER")
    return Grounds(replace(grounds.template, folder=folder, database_url=server.url, blob_url=blob_url), folder)


@pytest.mark.parametrize("grounds", ["s3"], indirect=True)
@pytest.mark.parametrize("flow", FLOWS_TRIED)
def test_a_database_that_is_restarted_breaks_no_promise(
    mortal_grounds: Grounds, server: Mortal, warm: Warm, flow: str
) -> None:
    ground = mortal_grounds.new()
    assert warm.run(prepare, ground, flow) == 0
    with FaultProxy.before(ground.database_url) as proxy:
        rule = proxy.add(Fault.DEED, nth=RESTART_AT, deed=server.crash)
        assert warm.run(suffer, replace(ground, database_url=proxy.through(ground.database_url)), flow, "") == 0
        assert rule.fired
        server.wait()
    look(ground, warm, flow)


@pytest.mark.parametrize("grounds", ["disk"], indirect=True)
@pytest.mark.parametrize(("trouble", "flow"), cells(LACKS))
def test_what_this_machine_lacks_breaks_no_promise(grounds: Grounds, warm: Warm, trouble: str, flow: str) -> None:
    ground = grounds.new()
    assert warm.run(prepare, ground, flow) == 0
    assert warm.run(suffer, ground, flow, trouble) == 0
    if trouble in NEEDED and flow not in NEEDED[trouble]:
        assert NO_ROOM in ground.ledger.read_text()
    look(ground, warm, flow)


def look(ground: Ground, warm: Warm, flow: str) -> None:
    """When all is well again whoever got no answer asks again, and every promise holds."""
    ended = ground.notes.read_text()
    print(f"{flow}: {ended}")
    assert warm.run(recover, ground, flow) == 0, ended
    assert json.loads((ground.folder / "broken").read_text()) == [], ended
