"""Statistics over HTTP: what they add up to, who sees them, and when they change."""

import csv
import io
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.http.conftest import FIREFOX
from tests.http.listeners import HOUR_S, NOTHING, figures, listen, of_bubble, of_channel


def test_nobody_is_zero(client: TestClient, world: Any) -> None:
    channel, owner = world.channel()
    answer = of_bubble(client, world.bubble(channel), owner)
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert figures(told) == figures(told["team"]) == figures(told["bots"]) == NOTHING
    assert told["as_of"] == "2026-11-23T22:00:00Z"
    assert set(NOTHING) <= set(told["method"])


def test_plays_of_a_public_bubble_are_numbers(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000)
    for number in range(4):
        listen(peer, clock, bubble, f"192.0.2.{number}", 95 if number else 4)
    clock.pass_s(HOUR_S)
    told = of_bubble(client, bubble, owner).json()
    assert figures(told) == {
        "downloads": 4,
        "starts": 4,
        "listens": 3,
        "completions": 3,
        "heard_s": 3 * 100,  # each play's seconds are rounded to a tenth of the bubble
        "listeners": "<5",
    }


def test_figures_change_once_an_hour(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000)
    clock.pass_s(1800)
    listen(peer, clock, bubble, "192.0.2.1", 50)
    listen(peer, clock, bubble, "192.0.2.1", 50, agent="Googlebot/2.1")
    nothing = of_bubble(client, bubble, owner).json()
    assert figures(nothing) == figures(nothing["bots"]) == NOTHING
    assert nothing["as_of"] == "2026-11-23T22:00:00Z"
    clock.pass_s(1800)
    told = of_bubble(client, bubble, owner).json()
    assert (told["starts"], told["downloads"], told["bots"]["starts"]) == (1, 1, 1)
    assert told["as_of"] == "2026-11-23T23:00:00Z"


def test_what_goes_on_in_an_hour_changes_nothing_of_the_hours_before(
    client: TestClient, peer: Any, world: Any, clock: Any
) -> None:
    channel, owner = world.channel()
    bubble, ann = world.bubble(channel), peer("192.0.2.1")

    def tell(heard: Any) -> None:
        assert ann.post("/api/listens", json={"code": bubble.code, "play": "play-ann", "heard": heard}).is_success

    tell([])
    clock.pass_s(HOUR_S - 1)
    tell([[0, 10]])
    seen = []
    for seconds in (1, 1800, 1800):
        clock.pass_s(seconds)
        seen.append(figures(of_bubble(client, bubble, owner).json()))
        tell([[0, 100]])
    assert [(told["listens"], told["completions"], told["heard_s"]) for told in seen] == [(1, 0, 10)] * 2 + [
        (1, 1, 100)
    ]


def test_the_team_and_bots_are_never_added(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000)
    listen(peer, clock, bubble, "192.0.2.1", 50, **owner)
    listen(peer, clock, bubble, "192.0.2.2", 50, **{"User-Agent": "Googlebot/2.1"})
    clock.pass_s(HOUR_S)
    told = of_bubble(client, bubble, owner).json()
    assert figures(told) == NOTHING
    assert told["team"]["listens"] == told["team"]["downloads"] == "<5"
    assert figures(told["bots"]) == {
        "downloads": 1, "starts": 1, "listens": 1, "completions": 0, "heard_s": 50, "listeners": 1,
    }  # fmt: skip


def test_a_crowd_is_counted_apart_and_never_added(
    client: TestClient, peer: Any, world: Any, clock: Any, house: Any
) -> None:
    house.settings.visitors_per_network = 2
    channel, owner = world.channel()
    public, unlisted = (world.bubble(channel, length_bytes=1000, visibility=each) for each in ("public", "unlisted"))
    for bubble in (public, unlisted):
        for number in range(5):
            listen(peer, clock, bubble, "192.0.2.1", 50, agent=f"{FIREFOX} {number}")
    clock.pass_s(HOUR_S)
    told = of_bubble(client, public, owner).json()
    assert (told["starts"], told["downloads"], told["crowd"]) == (2, 2, {"downloads": 3, "starts": 3})
    assert of_bubble(client, unlisted, owner).json()["crowd"] == {"downloads": "<5", "starts": "<5"}
    of_all = of_channel(client, channel, owner).json()
    assert (of_all["starts"], of_all["crowd"]) == (2, {"downloads": 3, "starts": 3, "bubbles_left_out": 1})
    lines = list(csv.DictReader(io.StringIO(of_bubble(client, public, owner, format="csv").text)))
    assert lines[3] == dict.fromkeys(NOTHING, "") | {"audience": "crowd", "downloads": "3", "starts": "3"}


def test_csv_holds_the_same_cells(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000)
    for number in range(5):
        listen(peer, clock, bubble, f"192.0.2.{number}", 50)
    listen(peer, clock, bubble, "192.0.2.9", 50, **owner)
    clock.pass_s(HOUR_S)
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
    clock.pass_s(HOUR_S)
    told = client.get(f"/api/channels/{channel.handle.upper()}/stats", headers=owner).json()
    assert told["channel"] == channel.handle
    assert (told["downloads"], told["starts"], told["listeners"]) == (10, 10, 10)
    assert told["bubbles_left_out"] == told["team"]["bubbles_left_out"] == 0


def test_a_channel_less_its_bubbles_leaves_nothing(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    """What few people did with a bubble, or with one that is not public, is not the rest of a subtraction."""
    channel, owner = world.channel()
    many, few, unlisted = world.bubble(channel), world.bubble(channel), world.bubble(channel, visibility="unlisted")
    for number in range(5):
        listen(peer, clock, many, f"192.0.2.{number}", 95 if number else 4)
        listen(peer, clock, unlisted, f"192.0.2.{number}", 95)
    listen(peer, clock, few, "192.0.2.0", 33)
    clock.pass_s(HOUR_S)
    cells = [figures(of_bubble(client, bubble, owner).json()) for bubble in (many, few)]
    told = of_channel(client, channel, owner).json()
    assert figures(told) == {
        name: sum(each[name] for each in cells if each[name] != "<5") for name in NOTHING
    }  # fmt: skip
    assert (cells[0]["listeners"], cells[1]["listeners"], told["bubbles_left_out"]) == (5, "<5", 2)
    lines = list(csv.DictReader(io.StringIO(of_channel(client, channel, owner, format="csv").text)))
    assert lines[0] == {"audience": "listeners", "bubbles_left_out": "2"} | {
        name: str(cell) for name, cell in figures(told).items()
    }


def test_a_channel_of_bubbles_of_few_is_of_few(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    """Though five people heard the one or the other."""
    channel, owner = world.channel()
    for start in (1, 4):
        bubble = world.bubble(channel)
        for number in range(3):
            listen(peer, clock, bubble, f"192.0.2.{start + number}", 10)
    clock.pass_s(HOUR_S)
    told = of_channel(client, channel, owner).json()
    assert (told["starts"], told["listeners"], told["bubbles_left_out"]) == (6, "<5", 2)


def test_bots_of_a_channel_are_always_numbers(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    for _ in range(2):
        listen(peer, clock, world.bubble(channel), "192.0.2.2", 10, **{"User-Agent": "Googlebot/2.1"})
    clock.pass_s(HOUR_S)
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
