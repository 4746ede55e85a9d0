"""Statistics over HTTP: what they add up to, who sees them, and what few people keep to themselves."""

import csv
import io
from typing import Any

import pytest
from starlette.testclient import TestClient

NOTHING = {"downloads": 0, "starts": 0, "listens": 0, "completions": 0, "heard_s": 0, "listeners": 0}


def listen(peer: Any, clock: Any, bubble: Any, host: str, heard_s: float, **headers: str) -> None:
    """A visitor who is sent the sound and hears the beginning of it."""
    visitor = peer(host)
    visitor.get(f"/media/{bubble.code}.m4a", headers=headers)
    for heard in ([], [[0, heard_s]]):
        told = {"code": bubble.code, "play": f"play-{host}".replace(".", "-"), "heard": heard}
        assert visitor.post("/api/listens", json=told, headers=headers).status_code == 204
        clock.pass_s(heard_s)


def of_bubble(client: TestClient, bubble: Any, headers: dict[str, str], **query: str) -> Any:
    return client.get(f"/api/bubbles/{bubble.code}/stats", headers=headers, params=query)


def figures(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in NOTHING}


def test_nobody_is_zero(client: TestClient, world: Any) -> None:
    channel, owner = world.channel()
    answer = of_bubble(client, world.bubble(channel), owner)
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert figures(told) == figures(told["team"]) == figures(told["bots"]) == NOTHING
    assert told["as_of"] == "2026-11-23T22:00:00Z"
    assert set(NOTHING) <= set(told["method"])


def test_five_people_are_counted(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000)
    for number in range(5):
        listen(peer, clock, bubble, f"192.0.2.{number}", 95 if number else 4)
    told = of_bubble(client, bubble, owner).json()
    assert figures(told) == {
        "downloads": 5,
        "starts": 5,
        "listens": "<5",
        "completions": "<5",
        "heard_s": 4 * 95 + 4,
        "listeners": 5,
    }


def test_four_people_keep_what_they_did_to_themselves(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000)
    for number in range(4):
        listen(peer, clock, bubble, f"192.0.2.{number}", 20)
    told = of_bubble(client, bubble, owner).json()
    assert figures(told) == NOTHING | dict.fromkeys(("downloads", "starts", "listens", "heard_s", "listeners"), "<5")


def test_the_team_and_bots_are_never_added(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000)
    listen(peer, clock, bubble, "192.0.2.1", 50, **owner)
    listen(peer, clock, bubble, "192.0.2.2", 50, **{"User-Agent": "Googlebot/2.1"})
    told = of_bubble(client, bubble, owner).json()
    assert figures(told) == NOTHING
    assert told["team"]["listens"] == told["team"]["downloads"] == "<5"
    assert figures(told["bots"]) == {
        "downloads": 1, "starts": 1, "listens": 1, "completions": 0, "heard_s": 50, "listeners": 1,
    }  # fmt: skip


def test_csv_holds_the_same_cells(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000)
    for number in range(5):
        listen(peer, clock, bubble, f"192.0.2.{number}", 50)
    listen(peer, clock, bubble, "192.0.2.9", 50, **owner)
    told = of_bubble(client, bubble, owner).json()
    answer = of_bubble(client, bubble, owner, format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    lines = {line.pop("audience"): line for line in csv.DictReader(io.StringIO(answer.text))}
    for audience, cells in {"listeners": told, "team": told["team"], "bots": told["bots"]}.items():
        assert lines[audience] == {name: str(cell) for name, cell in figures(cells).items()}


def test_a_channel_adds_up_its_bubbles(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    first, second, other = world.bubble(channel), world.bubble(channel), world.bubble()
    for bubble in (first, second, other):
        for number in range(5):
            listen(peer, clock, bubble, f"192.0.2.{number}", 10)
    told = client.get(f"/api/channels/{channel.handle.upper()}/stats", headers=owner).json()
    assert told["channel"] == channel.handle
    assert (told["downloads"], told["starts"], told["listeners"]) == (10, 10, 10)
    assert told["bubbles_left_out"] == told["team"]["bubbles_left_out"] == 0


def of_channel(client: TestClient, channel: Any, headers: dict[str, str], **query: str) -> Any:
    return client.get(f"/api/channels/{channel.handle}/stats", headers=headers, params=query)


def test_a_channel_less_its_bubbles_leaves_nothing(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    """What one person did with a bubble of few is not the rest of a subtraction."""
    channel, owner = world.channel()
    many, few = world.bubble(channel), world.bubble(channel)
    for number in range(5):
        listen(peer, clock, many, f"192.0.2.{number}", 95 if number else 4)
    listen(peer, clock, few, "192.0.2.0", 33)
    of_many, of_few = (figures(of_bubble(client, bubble, owner).json()) for bubble in (many, few))
    told = of_channel(client, channel, owner).json()
    assert set(of_few.values()) == {"<5", 0}
    assert figures(told) == of_many
    assert told["bubbles_left_out"] == 2
    lines = list(csv.DictReader(io.StringIO(of_channel(client, channel, owner, format="csv").text)))
    assert lines[0] == {"audience": "listeners", "bubbles_left_out": "2"} | {n: str(c) for n, c in of_many.items()}


def test_a_channel_of_bubbles_of_few_is_of_few(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    """Though five people heard the one or the other."""
    channel, owner = world.channel()
    for start in (1, 4):
        bubble = world.bubble(channel)
        for number in range(3):
            listen(peer, clock, bubble, f"192.0.2.{start + number}", 10)
    told = of_channel(client, channel, owner).json()
    assert figures(told) == figures(of_bubble(client, bubble, owner).json())
    assert (told["starts"], told["completions"], told["bubbles_left_out"]) == ("<5", 0, 2)


def test_bots_of_a_channel_are_always_numbers(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    for _ in range(2):
        listen(peer, clock, world.bubble(channel), "192.0.2.2", 10, **{"User-Agent": "Googlebot/2.1"})
    told = of_channel(client, channel, owner).json()["bots"]
    assert (told["starts"], told["heard_s"], told["bubbles_left_out"]) == (2, 20, 0)


def test_only_json_and_csv(client: TestClient, world: Any) -> None:
    channel, owner = world.channel()
    assert of_bubble(client, world.bubble(channel), owner, format="xml").status_code == 400


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
def test_only_the_team_sees_them(client: TestClient, world: Any, visibility: str) -> None:
    channel, owner = world.channel()
    _, somebody = world.channel()
    bubble = world.bubble(channel, visibility=visibility)
    hidden = visibility == "private"
    assert of_bubble(client, bubble, {}).status_code == (404 if hidden else 401)
    assert of_bubble(client, bubble, somebody).status_code == (404 if hidden else 403)
    assert of_bubble(client, bubble, owner).status_code == 200


def test_only_a_team_sees_its_channel(client: TestClient, world: Any) -> None:
    channel, owner = world.channel()
    _, somebody = world.channel()
    path = f"/api/channels/{channel.handle}/stats"
    assert client.get(path).status_code == 401
    assert client.get(path, headers=somebody).status_code == 403
    assert client.get(path, headers=owner).status_code == 200
    assert client.get("/api/channels/nobody/stats", headers=owner).status_code == 404
