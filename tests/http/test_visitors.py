"""Who listens: addresses, proxies, bots, the team."""

from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from bubbles.app import House
from bubbles.db.listening import Audience
from bubbles.http import agents, visitors
from bubbles.http.visitors import audience, network_of, parsed
from bubbles.model.channel import Role

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def request_from(app: Any) -> Any:
    """Makes a request from a peer with `X-Forwarded-For` lines; 10/8 and 2001:db8:ffff::/48 are trusted proxies."""

    def build(peer: str | None, *forwarded: str, agent: str = FIREFOX) -> Request:
        lines = [(b"x-forwarded-for", line.encode()) for line in forwarded]
        headers = [(b"user-agent", agent.encode()), *lines]
        client = (peer, 50000) if peer else None
        return Request({"type": "http", "app": app, "client": client, "headers": headers})

    return build


def seen(request: Request) -> str:
    return str(visitors.address(request))


def test_a_peer_that_is_no_proxy_is_believed_about_nobody(request_from: Any) -> None:
    assert seen(request_from("192.0.2.1", "198.51.100.7")) == "192.0.2.1"


def test_a_proxy_tells_who_asked_it(request_from: Any) -> None:
    assert seen(request_from("10.0.0.1", "198.51.100.7")) == "198.51.100.7"
    assert seen(request_from("2001:db8:ffff::1", "198.51.100.7")) == "198.51.100.7"


def test_what_a_client_wrote_before_the_proxy_does_not_count(request_from: Any) -> None:
    assert seen(request_from("10.0.0.1", "203.0.113.9, 198.51.100.7")) == "198.51.100.7"
    assert seen(request_from("10.0.0.1", "203.0.113.9", "198.51.100.7")) == "198.51.100.7"


def test_a_chain_of_proxies_is_followed_to_its_end(request_from: Any) -> None:
    assert seen(request_from("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.3, 10.0.0.2")) == "198.51.100.7"


def test_a_chain_that_is_broken_or_ends_in_proxies_stops_at_the_last_that_is_known(request_from: Any) -> None:
    assert seen(request_from("10.0.0.1", "198.51.100.7, unknown, 10.0.0.2")) == "10.0.0.2"
    assert seen(request_from("10.0.0.1", "10.0.0.3")) == "10.0.0.3"
    assert seen(request_from("10.0.0.1")) == "10.0.0.1"
    assert seen(request_from("10.0.0.1", "")) == "10.0.0.1"


def test_without_trusted_proxies_the_header_is_nothing(request_from: Any, house: House, app: Any) -> None:
    app.state.house = house.__class__(
        house.settings.model_copy(update={"trusted_proxies": ""}), house.database, house.blobs, house.transcriber
    )
    assert seen(request_from("10.0.0.1", "198.51.100.7")) == "10.0.0.1"


def test_a_socket_file_has_no_address(request_from: Any) -> None:
    assert visitors.address(request_from(None, "198.51.100.7")) is None
    assert visitors.visitor(request_from(None), None).address == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:80 ", "192.0.2.1"),
        ("[2001:db8::1]:80", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "None"),
        ("", "None"),
        ("[", "None"),
        ("192.0.2", "None"),
    ],
)
def test_addresses_as_proxies_write_them(text: str, expected: str) -> None:
    assert str(parsed(text)) == expected


def test_an_ipv6_household_is_one_visitor() -> None:
    assert network_of(parsed("2001:db8:1:2:3::1")) == network_of(parsed("2001:db8:1:2:ffff::9")) == "2001:db8:1:2::/64"
    assert network_of(parsed("2001:db8:1:3::1")) != network_of(parsed("2001:db8:1:2::1"))
    assert network_of(parsed("192.0.2.1")) != network_of(parsed("192.0.2.2"))


@pytest.mark.parametrize("agent", ["Googlebot/2.1 (+http://www.google.com/bot.html)", "curl/8.5.0", "", "Slackbot 1.0"])
def test_bots_and_the_silent_are_bots(agent: str) -> None:
    assert audience(agent, None) is Audience.BOT


@pytest.mark.parametrize(
    "agent", [FIREFOX, "AppleCoreMedia/1.0.0.21A329 (iPhone; U; CPU OS 17_0 like Mac OS X; en_us)"]
)
def test_players_are_listeners(agent: str) -> None:
    assert audience(agent, None) is Audience.LISTENER


def test_the_team_is_the_team_whatever_it_uses() -> None:
    assert {audience(agent, Role.AUTHOR) for agent in (FIREFOX, "curl/8.5.0", "")} == {Audience.TEAM}


def test_two_agents_that_begin_alike_for_long_are_one(request_from: Any) -> None:
    begun = f"{FIREFOX} {'x' * 256}"
    one, other = (visitors.visitor(request_from("192.0.2.1", agent=begun + end), None) for end in ("1", "2"))
    assert one.pseudonym(b"monday") == other.pseudonym(b"monday")


@pytest.mark.parametrize(("method", "path"), [("GET", "/media/{}.m4a"), ("POST", "/api/listens")])
def test_a_request_is_judged_once(
    client: TestClient, world: Any, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    judged: list[str] = []
    monkeypatch.setattr(agents, "is_crawler", lambda agent: bool(judged.append(agent)))
    bubble = world.bubble()
    told = {"code": bubble.code, "play": "play-0001", "heard": []}
    client.request(method, path.format(bubble.code), json=told, headers={"User-Agent": f"{FIREFOX} {'x' * 999}"})
    assert [len(agent) for agent in judged] == [agents.AGENT_MAX]
