"""The player's beacon over HTTP."""

import json
from typing import Any

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from bubbles.db.listening import heard_of
from bubbles.model.listening import Play

PLAY = "0123456789abcdef"


def beacon(bubble: Any, *heard: Any, play: Any = PLAY) -> dict[str, Any]:
    return {"code": bubble.code, "play": play, "heard": list(heard)}


def plays(house: Any, bubble: Any) -> list[Play]:
    with house.database.transaction() as session:
        return list(session.exec(select(Play).where(Play.bubble_id == bubble.id).order_by(col(Play.play))))


def test_a_player_tells_as_it_plays(client: TestClient, world: Any, house: Any, clock: Any) -> None:
    bubble = world.bubble()
    for after_s, heard in ((0, []), (10, [[0, 10]]), (10, [[0, 20]]), (10, [[0, 20], [40.0004, 200]])):
        clock.pass_s(after_s)
        answer = client.post("/api/listens", json=beacon(bubble, *heard))
        assert (answer.status_code, answer.content) == (204, b"")
    (play,) = plays(house, bubble)
    assert (play.heard_s, play.audience) == (30 * 2 + 2, "listener")
    assert heard_of(play) == [(0, 20), (40, 100)]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain;charset=UTF-8", "Text/Plain", None])
def test_a_beacon_has_the_type_that_the_browser_gives_it(client: TestClient, world: Any, content_type: Any) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = client.post("/api/listens", content=json.dumps(beacon(world.bubble())), headers=headers)
    assert answer.status_code == 204


def test_another_type_is_refused(client: TestClient, world: Any) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/api/listens", content=json.dumps(beacon(world.bubble())), headers=headers).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "short"},
        {"code": 5},
        {"play": "short"},
        {"play": "x" * 65},
        {"play": "has space"},
        {"play": "0123456789\n"},
        {"heard": [[0]]},
        {"heard": [[0, 1, 2]]},
        {"heard": [["0", "1"]]},
        {"heard": [[0, True]]},
        {"heard": [[0, float("nan")]]},
        {"heard": [[0, float("inf")]]},
        {"heard": [[0, 10**400]]},
        {"heard": [[0, 1]] * 201},
        {"heard": None},
    ],
)
def test_a_beacon_that_makes_no_sense_is_refused(client: TestClient, world: Any, house: Any, wrong: Any) -> None:
    bubble = world.bubble()
    answer = client.post("/api/listens", content=json.dumps(beacon(bubble) | wrong))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert plays(house, bubble) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 10_000])
def test_what_is_no_object_is_refused(client: TestClient, content: bytes) -> None:
    assert client.post("/api/listens", content=content).status_code == 400


def test_a_long_beacon_is_refused(client: TestClient, world: Any) -> None:
    long = json.dumps(beacon(world.bubble())) + " " * 16 * 1024
    assert client.post("/api/listens", content=long).status_code == 413


def test_only_who_may_hear_may_tell(client: TestClient, world: Any, house: Any, clock: Any) -> None:
    channel, owner = world.channel()
    private = world.bubble(channel, visibility="private")
    silent = world.bubble(channel, playable_at=None)
    unlisted = world.bubble(channel, visibility="unlisted")
    statuses = [client.post("/api/listens", json=beacon(bubble)).status_code for bubble in (private, silent, unlisted)]
    assert statuses == [404, 404, 204]
    assert client.post("/api/listens", json=beacon(private), headers=owner).status_code == 204
    assert plays(house, private)[0].audience == "team"
    unknown = {"code": "A" * 16, "play": PLAY, "heard": []}
    assert client.post("/api/listens", json=unknown).status_code == 404


def test_a_play_belongs_to_who_began_it(client: TestClient, peer: Any, world: Any, clock: Any) -> None:
    bubble = world.bubble()
    client.post("/api/listens", json=beacon(bubble))
    clock.pass_s(60)
    answer = peer("192.0.2.99").post("/api/listens", json=beacon(bubble, [0, 60]))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    other_bubble = world.bubble()
    assert peer("192.0.2.99").post("/api/listens", json=beacon(other_bubble)).status_code == 204


def test_a_bot_that_tells_is_a_bot(peer: Any, world: Any, house: Any) -> None:
    bubble = world.bubble()
    peer("192.0.2.1", "Googlebot/2.1").post("/api/listens", json=beacon(bubble))
    assert plays(house, bubble)[0].audience == "bot"
