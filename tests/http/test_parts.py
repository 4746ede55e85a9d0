"""Which parts are well: /readyz and /metrics name what is away or degraded, and wait for nothing that hangs."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from starlette.testclient import TestClient

from bubbles.db.engine import Database
from bubbles.http import looks, parts
from bubbles.http.asgi import create_app
from bubbles.model.step import StepName
from bubbles.model.times import utc_now
from tests.http.scraping import scraped, step, told

pytestmark = pytest.mark.usefixtures("nothing_waits")
HANGS_S = 0.3


def test_without_the_database_the_rest_is_told_and_that(house: Any) -> None:
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))
    with nobody:
        away = Database(f"postgresql://nobody@127.0.0.1:{nobody.getsockname()[1]}/nothing")
        app = create_app(replace(house, database=away))
        with TestClient(app, client=("127.0.0.1", 50000)) as client:
            samples = scraped(client)
            ready = client.get("/readyz")
    assert told(samples, "bubbles_up", part="database") == 0
    assert told(samples, "bubbles_up", part="store") == 1
    assert told(samples, "bubbles_disk_free_bytes") > 0  # type: ignore[operator]
    assert not any(name == "bubbles_steps_waiting" for name, _ in samples)
    assert ready.status_code == 503
    assert {"database", "places", "queue", "clock"} <= set(ready.json()["degraded"])


@contextmanager
def hanging() -> Iterator[str]:
    """A server that accepts and never answers: its database URL."""
    done = Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def accept() -> None:
            while not done.is_set():
                with socket.socket() as _:
                    try:
                        kept.append(listener.accept()[0])
                    except OSError:
                        return

        thread = Thread(target=accept, daemon=True)
        thread.start()
        yield f"postgresql://nobody@127.0.0.1:{listener.getsockname()[1]}/nothing"
        done.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for each in kept:
            each.close()


def test_parts_that_hang_keep_nobody_waiting(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    go = Event()
    asked: list[str] = []

    class Hangs:
        def size(self, key: str) -> int:
            asked.append(key)
            go.wait(60)
            raise KeyError(key)

    monkeypatch.setattr(looks, "LOOK_MAX_S", HANGS_S)
    with hanging() as url:
        app = create_app(replace(house, database=Database(url), blobs=Hangs()))
        with TestClient(app, client=("127.0.0.1", 50000)) as client:
            for _ in range(3):
                parts_seen = client.get("/readyz").json()["parts"]
                assert (parts_seen["database"], parts_seen["store"]) == ("away", "away")
            assert told(scraped(client), "bubbles_up", part="store") == 0
            assert asked == ["ready"]  # one look hangs, and no second one is begun beside it
            go.set()
            for _ in range(200):
                if client.get("/readyz").json()["parts"]["store"] == "ok":
                    break
            else:
                pytest.fail("the store is still away")


def test_readiness_names_what_is_degraded(house: Any, world: Any, clock: Any, at_home: TestClient) -> None:
    clock.at = utc_now() - timedelta(hours=1)
    with house.database.transaction() as session:
        step(session, world.bubble(), StepName.NORMALISE, queued_at=clock.at - timedelta(seconds=parts.LATE_S + 1))
    answer = at_home.get("/readyz")
    told_parts = answer.json()["parts"]
    assert answer.status_code == 200
    assert told_parts["database"] == "ok"
    assert told_parts["queue"] == "late"
    assert told_parts["clock"] == "off"  # the test holds the house's clock
    assert {"queue", "clock"} <= set(answer.json()["degraded"])


def test_a_machine_without_workers_needs_no_model(house: Any, tmp_path: Path) -> None:
    for workers, word in ((0, "ok"), (1, "missing")):
        settings = house.settings.model_copy(update={"workers": workers, "cache_dir": tmp_path})
        with TestClient(create_app(replace(house, settings=settings))) as client:
            assert client.get("/readyz").json()["parts"]["model"] == word


@pytest.mark.parametrize(("free_gib", "word"), [(0.1, "full"), (1, "low"), (100, "ok")])
def test_room_on_the_disk_is_told(
    at_home: TestClient, monkeypatch: pytest.MonkeyPatch, free_gib: float, word: str
) -> None:
    monkeypatch.setattr(parts.disk, "usage", lambda folder: (int(free_gib * 1024**3), 200 * 1024**3))
    assert at_home.get("/readyz").json()["parts"]["disk"] == word
    assert told(scraped(at_home), "bubbles_disk_free_bytes") == int(free_gib * 1024**3)
