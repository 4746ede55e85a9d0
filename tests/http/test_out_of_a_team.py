"""Whoever is out of a team is out at their next request: by session, by token, and in what is open already."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from bubbles import channels
from bubbles.app import House
from bubbles.http import events
from bubbles.http.routes import OPERATIONS
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel, Role
from tests.http.pages_fixtures import Stage
from tests.http.people import People
from tests.http.test_events import Follower, played, until
from tests.http.test_leaving import team
from tests.http.test_members import Brand, Known
from tests.http.uploading import post


@pytest.fixture
def brand(people: People, house: House) -> Brand:
    return Brand(people, house)


def take_out(house: House, channel: Channel, account: Account) -> None:
    with house.database.transaction() as session:
        channels.remove_member(session, channel, account)


BODIES: dict[str, dict[str, Any]] = {
    "Patch": {"json": {"title": "Mine"}},
    "Correction": {"json": {"cues": []}},
    "Role": {"json": {"role": "author"}},
    "Heard": {"json": {"code": "CODE", "play": "play-play", "heard": [[0, 1]]}},
    "Form": {"data": {"title": "Mine", "sure": "yes", "version": "1"}},
}
OF_A_BUBBLE = [row for row in OPERATIONS if "{code}" in row.path or "{handle}" in row.path or row.takes == "Heard"]


@pytest.mark.parametrize(
    "columns", [{"visibility": "private"}, {"held_at": True}, {}], ids=["private", "held", "public"]
)
def test_whoever_is_out_of_a_team_is_told_what_everybody_else_is(
    client: TestClient, stage: Stage, house: House, brand: Brand, columns: dict[str, Any]
) -> None:
    """By token, by every route that leads to a bubble or a channel, also for what they posted themselves."""
    author, changes = brand.accounts[Role.AUTHOR], dict(columns)
    if changes.get("held_at"):
        changes |= {"held_at": house.now(), "held_reason": "looked at"}
    bubble = stage.bubble(channel=brand.channel, author_id=author.id, **changes)
    take_out(house, brand.channel, author)
    for row in OF_A_BUBBLE:
        former, other = (ask(client, row, bubble, brand, each) for each in (brand.known[Role.AUTHOR], brand.stranger))
        assert former == other, row
        if columns and row.path not in {"/@{handle}", "/b/{code}/embed"}:
            assert former[0] in {303, 403, 404}, row
            assert "looked at" not in former[1]
    with house.database.transaction() as session:
        kept = session.get_one(Bubble, bubble.id)
        assert (kept.title, kept.withdrawn_at, kept.channel_id) == ("Market day", None, brand.channel.id)


def ask(client: TestClient, row: Any, bubble: Bubble, brand: Brand, headers: Known) -> tuple[int, str]:
    path = row.path.format(
        code=bubble.code, handle=brand.channel.handle, kind="m4a", format="txt", account=brand.other.handle
    )
    body = BODIES.get(row.takes, {})
    if row.takes == "Heard":
        body = {"json": body["json"] | {"code": bubble.code, "play": f"play-{brand.channel.handle}"}}
    if row.gives == "text/event-stream":
        return (client.get(path, headers=headers).status_code, "") if not bubble.shown_to_strangers else (0, "")
    answer = client.request(row.method, path, headers=headers, follow_redirects=False, **body)
    return answer.status_code, answer.text


def test_a_session_is_out_at_its_next_request_too(people: People, stage: Stage, house: House) -> None:
    owner, author = people.account(), people.account()
    channel = team(house, (owner, Role.OWNER), (author, Role.AUTHOR))
    bubble = stage.bubble(channel=channel, author_id=author.id, visibility="private")
    browser = people.signed_in(author)
    of_bubble = ("/b/{}", "/media/{}.m4a", "/studio/bubbles/{}", "/b/{}.vtt")
    paths = [path.format(bubble.code) for path in of_bubble]
    assert {browser.get(path).status_code for path in paths} == {200}
    assert bubble.code in browser.get("/studio").text
    assert channel.handle in browser.get("/api/me").text
    take_out(house, channel, author)
    assert {browser.get(path).status_code for path in paths} == {404}
    assert bubble.code not in browser.get("/studio").text
    assert channel.handle not in browser.get("/api/me").text
    assert bubble.code not in browser.get(f"/@{channel.handle}").text


def test_whoever_is_out_of_a_team_publishes_nothing_in_it(client: TestClient, house: House, brand: Brand) -> None:
    author, headers = brand.accounts[Role.AUTHOR], brand.known[Role.AUTHOR]
    assert post(client, headers, channel=brand.channel.handle).status_code == 202
    take_out(house, brand.channel, author)
    assert post(client, headers, channel=brand.channel.handle).status_code == 403


def test_whoever_follows_a_private_bubble_is_told_nothing_of_it_once_they_are_out(
    app: Any, house: House, brand: Brand, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = brand.accounts[Role.AUTHOR]
    bubble = stage.bubble(
        channel=brand.channel, author_id=author.id, visibility="private", playable_at=None, words=None
    )
    path = f"/api/bubbles/{bubble.code}/events"

    async def scene() -> None:
        out, owner = Follower(app, path, brand.known[Role.AUTHOR]), Follower(app, path, brand.known[Role.OWNER])
        await until(lambda: out.states and owner.states)
        take_out(house, brand.channel, author)
        with house.database.transaction() as session:
            session.get_one(Bubble, bubble.id).playable_at = house.now()
        await until(lambda: len(owner.states) > 1)
        await until(out.task.done)
        assert (out.states, owner.states) == (["processing"], ["processing", "playable"])
        await owner.leave()

    played(scene, monkeypatch)


def test_a_stream_in_which_nothing_happens_ends_too(
    app: Any, house: House, brand: Brand, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "ASK_AGAIN_S", 0.05)
    author = brand.accounts[Role.AUTHOR]
    bubble = stage.bubble(
        channel=brand.channel, author_id=author.id, visibility="private", playable_at=None, words=None
    )

    async def scene() -> None:
        out = Follower(app, f"/api/bubbles/{bubble.code}/events", brand.known[Role.AUTHOR])
        await until(lambda: "still here" in out.body)
        take_out(house, brand.channel, author)
        await until(out.task.done)

    played(scene, monkeypatch)
