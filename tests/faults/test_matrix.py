"""Everything that can go wrong outside, while each thing is done: no promise is broken once it is well again."""

import json
import os
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.exc import OperationalError

from bubbles.blobs.bucket import Patience
from bubbles.errors import Missing, Refused
from tests.faults.conftest import Grounds
from tests.faults.flows import EVERY_FLOW, WITH_THE_HOUSE
from tests.faults.lacks import FILLING, LACKS, NO_ROOM
from tests.faults.lives import Ground, life
from tests.faults.mortal import Mortal, mortal
from tests.faults.proxy import Fault, FaultProxy
from tests.faults.trial import recover
from tests.faults.troubles import AMIDST, COPY, FLOWS_TRIED, OUTSIDE, cells
from tests.faults.warm import Warm
from tests.journey.service import wait_for

RESTART_AT = 12
"""Which statement of a flow meets a server that crashes: in the midst of it, whichever it is."""

IMPATIENT = Patience(connect_s=1, silence_s=0.5, call_s=1)
"""A bucket is waited for this long, so that the test need not wait as long as the house would."""

HASTY = Patience(connect_s=1, silence_s=0.2, call_s=0.4)
"""And one that stalls."""

FAIR = Patience(connect_s=5, silence_s=5, call_s=5)
"""And one that has to answer before it comes to what fails."""


TOLD = (Refused, Missing, OperationalError)
"""What a command ends with, in a sentence for who gave it. Of a full disk the house says itself which it is."""


def prepare(ground: Ground, flow: str) -> None:
    """What was there before anything went wrong."""
    with life(ground) as alive:
        alive.settle()
        EVERY_FLOW[flow].prepare(alive)


def suffer(ground: Ground, flow: str, trouble: str) -> None:
    """A process that does what the flow says, notes whether that went well, and ends without another word."""
    with life(ground) as alive:
        note = "done"
        with (LACKS | FILLING).get(trouble, nullcontext)(alive):
            try:
                EVERY_FLOW[flow].act(alive)
            except Exception as error:
                note = repr(error)
                if flow in WITH_THE_HOUSE and not isinstance(error, TOLD):
                    raise
        ground.notes.write_text(f"{trouble}\n{note}")
        os._exit(0)  # what is cut off is not closed either


NEEDED = {"the disk is full": {"withdraw", "leave", "sweep"}, "the database's disk is full": set()}
"""Room, in all flows but these."""

STORE_FULL, BACKUPS_FULL = "The disk of the store says", "backups, or for a moment in"
FILLED = {
    ("there is room for marks alone", "move"): STORE_FULL,
    ("there is room for marks alone", "backup"): BACKUPS_FULL,
    ("there is room for marks alone", "restore"): STORE_FULL,
    ("there is room for one recording", "move"): STORE_FULL,
    ("there is room for one recording", "backup"): BACKUPS_FULL,
    ("there is no room for the dump", "backup"): "pg_dump ended",
}
"""What the command ends with says which disk it is."""

RESTARTS = [*((flow, "", RESTART_AT) for flow in FLOWS_TRIED), ("backup", COPY, 1), ("restore", COPY, 1)]


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


def patience_for(trouble: str, flow: str) -> Patience | None:
    """How long the store is waited for; None: as the house would."""
    if (trouble, flow) in AMIDST:
        return FAIR
    if OUTSIDE[trouble].part == "database":
        return None
    return HASTY if "stalls" in trouble else IMPATIENT


@pytest.mark.parametrize("grounds", ["s3"], indirect=True)
@pytest.mark.parametrize(("trouble", "flow"), [*cells(OUTSIDE), *AMIDST])
def test_what_fails_outside_breaks_no_promise(
    grounds: Grounds, warm: Warm, proxies: dict[str, FaultProxy], trouble: str, flow: str
) -> None:
    ground = grounds.new()
    assert warm.run(prepare, ground, flow) == 0
    what = AMIDST.get((trouble, flow)) or OUTSIDE[trouble]
    rule = what.befall(proxies)
    try:
        reached = replace(through(ground, proxies), patience=patience_for(trouble, flow))
        assert warm.run(suffer, reached, flow, trouble) == 0
        wait_for(lambda: rule.fired)  # it may be counted after who lost patience has left
    finally:
        for proxy in proxies.values():
            proxy.heal()
    assert what.told in ground.notes.read_text()
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
@pytest.mark.parametrize(("flow", "statement", "nth"), RESTARTS)
def test_a_database_that_is_restarted_breaks_no_promise(
    mortal_grounds: Grounds, server: Mortal, warm: Warm, flow: str, statement: str, nth: int
) -> None:
    ground = mortal_grounds.new()
    assert warm.run(prepare, ground, flow) == 0
    with FaultProxy.before(ground.database_url) as proxy:
        rule = proxy.add(Fault.DEED, statement, nth=nth, deed=server.crash)
        assert warm.run(suffer, replace(ground, database_url=proxy.through(ground.database_url)), flow, "") == 0
        assert rule.fired
        server.wait()
    look(ground, warm, flow)


@pytest.mark.parametrize("grounds", ["disk"], indirect=True)
@pytest.mark.parametrize(("trouble", "flow"), [*cells(LACKS), *FILLED])
def test_what_this_machine_lacks_breaks_no_promise(grounds: Grounds, warm: Warm, trouble: str, flow: str) -> None:
    ground = grounds.new()
    assert warm.run(prepare, ground, flow) == 0
    assert warm.run(suffer, ground, flow, trouble) == 0
    if trouble in FILLING or (trouble in NEEDED and flow not in NEEDED[trouble]):
        assert NO_ROOM in ground.ledger.read_text()
    assert FILLED.get((trouble, flow), "") in ground.notes.read_text()
    look(ground, warm, flow)


def look(ground: Ground, warm: Warm, flow: str) -> None:
    """When all is well again whoever got no answer asks again, and every promise holds."""
    ended = ground.notes.read_text().splitlines()[-1]
    print(f"{flow}: {ended}")
    assert warm.run(recover, ground, flow) == 0, ended
    assert json.loads((ground.folder / "broken").read_text()) == [], ended
