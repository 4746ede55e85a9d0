"""/metrics tells how the house stands, from its rows and from its own process; nothing of anybody."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from bubbles import chores
from bubbles.blobs.disk import DiskStore
from bubbles.blobs.timed import timed
from bubbles.db import crew, discards
from bubbles.db.engine import Database
from bubbles.db.figures import Census
from bubbles.errors import Code, Missing
from bubbles.http import parts
from bubbles.http.asgi import create_app
from bubbles.http.routes import OPERATIONS
from bubbles.model.bubble import State
from bubbles.model.step import StepName
from bubbles.pipeline import QUEUES
from tests.http.conftest import MONDAY_22
from tests.http.scraping import HOUR, scraped, step, told

pytestmark = pytest.mark.usefixtures("nothing_waits")


# From rows


def test_steps_are_told_by_what_they_wait_for_with_the_age_of_the_oldest(
    house: Any, world: Any, at_home: TestClient
) -> None:
    began, minute = MONDAY_22 - HOUR, timedelta(minutes=1)
    with house.database.transaction() as session:
        step(session, world.bubble())
        step(session, world.bubble(), queued_at=MONDAY_22 - minute)
        step(session, world.bubble(), waiting_for="model")
        step(session, world.bubble(), waiting_for="spoiled")
        step(session, world.bubble(), waiting_for="a part that we never heard of")
        step(session, world.bubble(), error="ValueError")
        step(session, world.bubble(), started_at=began)
        step(session, world.bubble(), started_at=began, finished_at=began)
        step(session, world.bubble(), StepName.NORMALISE, gave_up_at=began, error="ValueError")
    samples = scraped(at_home)
    waiting = {
        dict(labels)["waits_for"]: value
        for (name, labels), value in samples.items()
        if name == "bubbles_steps_waiting" and ("step", "transcribe") in labels
    }
    assert waiting == {"worker": 2, "model": 1, "other": 1, "retry": 1, "spoiled": 1}
    assert told(samples, "bubbles_steps_oldest_seconds", step="transcribe", waits_for="worker") == 3600
    assert told(samples, "bubbles_steps_running", step="transcribe") == 1
    assert told(samples, "bubbles_steps_given_up", step="transcribe") == 0
    assert told(samples, "bubbles_steps_given_up", step="normalise") == 1
    assert told(samples, "bubbles_steps_waiting", step="normalise", waits_for="worker") == 0
    assert told(samples, "bubbles_up", part="model") == 0  # somebody waits for it


def test_the_real_time_factor_is_work_for_sound_over_the_last_hour(house: Any, world: Any, at_home: TestClient) -> None:
    with house.database.transaction() as session:
        for took_s, ago in ((10, HOUR / 4), (30, HOUR / 2), (999, 2 * HOUR)):
            finished = MONDAY_22 - ago
            step(session, world.bubble(), started_at=finished - timedelta(seconds=took_s), finished_at=finished)
    samples = scraped(at_home)
    assert told(samples, "bubbles_step_real_time_factor", step="transcribe") == (10 + 30) / (100.0 + 100.0)
    assert told(samples, "bubbles_steps_finished_last_hour", step="transcribe") == 2
    assert told(samples, "bubbles_step_real_time_factor", step="normalise") is None


def test_discards_and_jobs_and_states_are_counted(house: Any, world: Any, app: Any) -> None:
    with house.database.transaction() as session:
        discards.add(session, ["renditions/x/1", "renditions/x/2"], MONDAY_22 - HOUR)
        discards.doom(session, ["renditions/x/3"], MONDAY_22)
    with TestClient(app, client=("127.0.0.1", 50000)) as client:
        before = scraped(client)
    assert told(before, "bubbles_discards_due") == 2
    assert told(before, "bubbles_discards_oldest_seconds") == 3600
    assert told(before, "bubbles_jobs", queue="upkeep", status="todo") == 1
    columns = {
        State.WITHDRAWN: {"withdrawn_at": MONDAY_22, "held_at": MONDAY_22},
        State.REFUSED: {"refused_at": MONDAY_22},
        State.HELD: {"held_at": MONDAY_22},
        State.FAILED: {"failed_at": MONDAY_22, "playable_at": None},
        State.PROCESSING: {"playable_at": None},
        State.PLAYABLE: {},
        State.READY: {"ready_at": MONDAY_22},
    }
    for state, moments in columns.items():
        assert world.bubble(length_bytes=9, **moments).state is state
    with TestClient(create_app(house), client=("127.0.0.1", 50000)) as client:  # another process counts anew
        after = scraped(client)
    for state in State:
        now, then = (told(samples, "bubbles_bubbles", state=state) for samples in (after, before))
        assert now == (then or 0) + 1


def test_who_serves_which_queue_is_told(house: Any, at_home: TestClient) -> None:
    with house.database.transaction() as session:
        crew.serve(session, uuid4(), {"normalise": 2}, alive_s=60)
        crew.serve(session, uuid4(), {"normalise": 1, "upkeep": 1}, alive_s=60)
        crew.serve(session, uuid4(), {"transcribe": 1}, alive_s=-1)  # dead
    samples = scraped(at_home)
    slots = {queue: told(samples, "bubbles_workers_slots", queue=queue) for queue in QUEUES}
    assert slots == {"normalise": 3, "transcribe": 0, "upkeep": 1}
    assert told(samples, "bubbles_up", part="workers") == 0
    assert at_home.get("/readyz").json()["parts"]["workers"] == "none for transcribe"


def test_chores_are_told_with_what_they_did_and_when_they_failed(house: Any, clock: Any, at_home: TestClient) -> None:
    with chores.told(house, "sweep") as counts:
        counts["files"] += 3
    clock.pass_s(60)
    with pytest.raises(ValueError, match="broken"), chores.told(house, "sweep") as counts:
        counts["files"] += 1
        raise ValueError("broken")
    clock.pass_s(60)
    with chores.told(house, "discard"):
        raise Missing("store", "It is away.")  # waited for
    samples, began_s = scraped(at_home), MONDAY_22.timestamp()
    assert told(samples, "bubbles_chore_done", chore="sweep", what="files") == 4
    assert told(samples, "bubbles_chore_latest", chore="sweep", what="files") == 1
    assert told(samples, "bubbles_chore_ran_timestamp_seconds", chore="sweep") == began_s + 60
    assert told(samples, "bubbles_chore_failed_timestamp_seconds", chore="sweep") == began_s + 60
    assert told(samples, "bubbles_chore_failed_timestamp_seconds", chore="discard") == began_s + 120
    assert told(samples, "bubbles_chore_seconds", chore="discard") >= 0  # type: ignore[operator]


def test_a_chore_whose_database_is_away_fails_as_it_would(house: Any) -> None:
    with (
        pytest.raises(KeyError),
        chores.told(replace(house, database=Database("postgresql://nobody@127.0.0.1:1/nothing")), "sweep"),
    ):
        raise KeyError


def test_a_census_takes_a_hundredth_of_the_time_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    at_s, counted = 1000.0, 0

    def count() -> Census:
        nonlocal at_s, counted
        at_s, counted = at_s + 2, counted + 1
        return Census({State.READY: counted}, {})

    monkeypatch.setattr(parts.time, "monotonic", lambda: at_s)
    paced = parts._paced(count)
    assert paced() == paced() == Census({State.READY: 1}, {})
    at_s += 197
    assert paced() == Census({State.READY: 1}, {})
    at_s += 2
    assert paced() == Census({State.READY: 2}, {})


# From this process


def test_requests_refusals_and_latencies_are_told(world: Any, at_home: TestClient) -> None:
    path = f"/media/{world.bubble(length_bytes=9).code}.m4a"
    before = scraped(at_home)
    at_home.get(path)
    at_home.get("/b/AAAAAAAAAAAAAAAA")
    at_home.get("/assets/nothing.js")
    after = scraped(at_home)

    def grown(metric: str, **labels: str) -> float:
        return (told(after, metric, **labels) or 0) - (told(before, metric, **labels) or 0)

    assert grown("bubbles_requests_total", route="/media/{code}.{kind}", status="200") == 1
    assert grown("bubbles_requests_total", route="/assets", status="404") == 1
    assert grown("bubbles_request_seconds_count", route="/b/{code}") == 1
    assert grown("bubbles_refusals_total", code=Code.NOT_FOUND) == 1
    assert grown("bubbles_database_transaction_seconds_count", outcome="committed") > 0
    assert grown("bubbles_database_wait_seconds_count") > 0


def test_the_store_is_timed_by_operation_and_outcome(tmp_path: Path, at_home: TestClient) -> None:
    store = timed(DiskStore(tmp_path / "blobs"))
    (tmp_path / "sound").write_bytes(b"sound")
    digest = "c7aef2b05e24cf4e2edb81cdb1d1a32ac65acd5a9fcbbed7ce73d37b2b8b77b3"
    for key in ("a", "a"):
        with pytest.raises(ValueError, match="SHA-256"):
            store.put(key, tmp_path / "sound", sha256=digest, content_type="audio/mp4")
    with pytest.raises(KeyError):
        store.size("absent")
    with pytest.raises(KeyError):
        store.open_range("absent", 0, 1)
    samples = scraped(at_home)
    for operation, outcome, count in (("put", "failed", 2), ("size", "absent", 1), ("open_range", "absent", 1)):
        assert told(samples, "bubbles_blob_seconds_count", operation=operation, outcome=outcome) >= count  # type: ignore[operator]


def test_a_range_that_breaks_off_is_counted(at_home: TestClient, tmp_path: Path) -> None:
    class Breaks(DiskStore):
        def open_range(self, key: str, start: int, stop: int) -> Iterator[bytes]:
            yield b"first"
            raise Missing("store", "It is gone.")

    before = told(scraped(at_home), "bubbles_blob_broken_total")
    chunks = timed(Breaks(tmp_path)).open_range("a", 0, 9)
    assert next(chunks) == b"first"
    with pytest.raises(Missing):
        next(chunks)
    assert told(scraped(at_home), "bubbles_blob_broken_total") == before + 1  # type: ignore[operator]


# Nothing of anybody, and little of anything


def test_labels_have_few_values_and_all_are_words_of_ours(world: Any, at_home: TestClient) -> None:
    marker = "zq7marker"
    for row in OPERATIONS:
        named = ("code", "kind", "format", "handle", "account", "secret", "number")
        path = row.path.format(**dict.fromkeys(named, marker))
        at_home.request(row.method, f"{path}?q={marker}", headers={"User-Agent": marker, "Range": marker})
    at_home.request(marker.upper(), f"/{marker}")
    text = at_home.get("/metrics").text
    assert marker not in text.lower()
    ours = {"unknown", "/assets", *(row.path for row in OPERATIONS)}
    assert set(re.findall(r'route="([^"]*)"', text)) <= ours
    assert set(re.findall(r'(\w+)="', text)) <= {
        *("route", "status", "code", "operation", "outcome", "le", "part", "step", "waits_for", "queue", "state"),
        *("chore", "what", "peer"),
        *("generation", "implementation", "major", "minor", "patchlevel", "version"),  # of Python's own
    }  # fmt: skip


def test_only_who_is_near_is_told(peer: Any, house: Any) -> None:
    assert peer("10.1.2.3").get("/metrics").status_code == 200
    assert peer("8.8.8.8").get("/metrics").status_code == 404
    assert peer("10.1.2.3").get("/metrics", headers={"X-Forwarded-For": "10.1.1.1"}).status_code == 404
