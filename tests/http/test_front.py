"""Whether something stands in front that the settings do not name: counted, written down, told; never an address."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from bubbles import doctor
from bubbles.config import Settings
from bubbles.db import front as rows
from bubbles.doctor import Health
from bubbles.http import front
from bubbles.http.asgi import create_app
from bubbles.meters import FORWARDED_IGNORED
from bubbles.model.times import utc_now
from tests.http.wire import served, until

PUBLIC = Settings(base_url="https://bubbles.example", trusted_proxies="10.0.0.0/8")
FAR, OTHER, NEAR = "8.8.8.8", "9.9.9.9", "172.30.7.1"
ENOUGH = front.ENOUGH


@pytest.fixture
def app(house: Any) -> Iterator[Any]:
    known = {"base_url": PUBLIC.base_url}
    settings = house.settings.model_copy(update=known)
    now = utc_now()  # it stands still, so that no hour ends within a test
    yield create_app(replace(house, settings=settings, now=lambda: now))
    with house.database.transaction() as session:
        session.connection().execute(text("DELETE FROM front"))


def come(app: Any, host: str, count: int = 1, **headers: str) -> None:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    client = TestClient(app, client=(host, 50000))
    for _ in range(count):
        client.get("/robots.txt", headers=sent)


def seen(app: Any) -> rows.Seen | None:
    front.store(app.state.house.database, app.state.front.taken())
    with app.state.house.database.transaction() as session:
        return rows.seen(session)


def said(app: Any) -> doctor.Finding:
    return doctor._visitors(seen(app), app.state.house.settings)


def test_nobody_is_nobody(app: Any) -> None:
    assert seen(app) is None
    assert said(app).health is Health.OK


def test_visitors_who_are_all_one_private_address_are_noticed(app: Any) -> None:
    come(app, NEAR, ENOUGH)
    assert seen(app) == rows.Seen(ENOUGH, 0, 0, is_one_private=True)
    assert (said(app).health, "one private address" in said(app).text) == (Health.DEGRADED, True)


@pytest.mark.parametrize("hosts", [(NEAR, FAR), (NEAR, "172.30.7.2"), (FAR,), (FAR, OTHER)])
def test_visitors_of_more_than_one_address_or_of_a_public_one_are_not(app: Any, hosts: tuple[str, ...]) -> None:
    for host in hosts:
        come(app, host, ENOUGH)
    assert said(app).health is Health.OK


def test_a_few_from_one_private_address_and_a_house_for_this_machine_are_nothing(app: Any) -> None:
    come(app, NEAR, ENOUGH - 1)
    assert said(app).health is Health.OK
    come(app, NEAR, 1)
    assert doctor._visitors(seen(app), Settings()).health is Health.OK


def test_those_whom_a_trusted_proxy_names_are_who_they_are(app: Any) -> None:
    for host in (FAR, OTHER):
        come(app, "10.0.0.1", ENOUGH, X_Forwarded_For=host)
    assert seen(app) == rows.Seen(2 * ENOUGH, 0, 0, is_one_private=False)
    assert said(app).health is Health.OK


def test_a_trusted_proxy_that_names_nobody_or_one_behind_it_is_noticed(app: Any) -> None:
    come(app, "10.0.0.1", ENOUGH, X_Forwarded_For="172.18.0.1")
    assert said(app).health is Health.DEGRADED


@pytest.mark.parametrize("name", ["X_Forwarded_For", "Forwarded"])
def test_a_private_peer_that_is_not_trusted_and_forwards_is_noticed_at_once(app: Any, name: str) -> None:
    come(app, FAR, ENOUGH)
    before = FORWARDED_IGNORED.labels("near")._value.get()
    with capture_logs() as logged:
        come(app, NEAR, 2, **{name: "8.8.8.8"})
    assert said(app).health is Health.DEGRADED
    assert "BUBBLES_TRUSTED_PROXIES" in said(app).text
    assert [each["event"] for each in logged if each["log_level"] == "warning"] == ["forwarded_by_untrusted_peer"]
    assert FORWARDED_IGNORED.labels("near")._value.get() == before + 2


def test_strangers_who_forge_it_raise_no_alarm_and_a_public_proxy_does(app: Any) -> None:
    come(app, FAR, 9)
    come(app, OTHER, 3, X_Forwarded_For="1.2.3.4")
    assert said(app).health is Health.OK
    come(app, OTHER, 30, X_Forwarded_For="1.2.3.4")
    assert said(app).health is Health.DEGRADED


def test_whoever_watches_over_us_is_no_visitor(app: Any) -> None:
    client = TestClient(app, client=("127.0.0.1", 50000))
    for path in front.PROBES:
        client.get(path)
    assert app.state.front.taken() == []


def test_an_hour_is_told_again_as_it_grows_and_the_next_begins_anew(app: Any, clock: Any) -> None:
    app.state.front.house = replace(app.state.house, now=clock)
    come(app, FAR, 2)
    (first,) = app.state.front.taken()
    come(app, FAR)
    clock.pass_s(3600)
    come(app, NEAR, 5)
    assert [row.requests for row in app.state.front.taken()] == [3, 5]
    assert [row.requests for row in app.state.front.taken()] == [5]
    assert first.requests == 2


def test_the_log_says_once_that_all_are_one(app: Any) -> None:
    come(app, NEAR, ENOUGH)
    with capture_logs() as logged:
        app.state.front.taken()
        app.state.front.taken()
    assert [each["event"] for each in logged] == ["visitors_are_one_address"]


def test_no_address_is_written_down_and_what_is_old_goes(app: Any) -> None:
    come(app, FAR, 3, X_Forwarded_For="1.2.3.4")
    seen(app)
    with app.state.house.database.transaction() as session:
        (told,) = session.connection().execute(text("SELECT front::text FROM front")).scalars()
        assert not any(address in told for address in (FAR, "1.2.3.4"))
        session.connection().execute(text("UPDATE front SET hour = hour - interval '2 days'"))
    come(app, FAR)
    assert seen(app) == rows.Seen(4, 3, 0, is_one_private=False)
    with app.state.house.database.transaction() as session:
        assert session.connection().execute(text("SELECT count(*) FROM front")).scalar_one() == 1


def test_a_served_house_writes_it_down_by_itself(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "WRITE_EVERY_S", 0.05)

    def told() -> Any:
        with app.state.house.database.transaction() as session:
            return rows.seen(session)

    with served(app.state.house) as wire:
        wire.ask(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        until(told)
    assert told().requests == 1
