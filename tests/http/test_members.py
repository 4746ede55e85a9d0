"""Teams: who is told of them, who changes them, and that whoever is out of one is out at the next request."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from bubbles import accounts, channels
from bubbles.app import House
from bubbles.errors import Code, Refused
from bubbles.http import events
from bubbles.http.routes import OPERATIONS
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel, Membership, Role
from tests.http.pages_fixtures import Stage
from tests.http.people import People
from tests.http.test_events import Follower, played, until
from tests.http.test_export import channel_of
from tests.http.test_leaving import team
from tests.http.uploading import post

Known = dict[str, str]
MEMBERS = "/api/channels/{}/members"


def known(house: House, account: Account) -> Known:
    """The headers by which an account's program is known."""
    with house.database.transaction() as session:
        return {"Authorization": f"Bearer {accounts.new_token(session, account, now=house.now())}"}


class Brand:
    """A channel with an owner, an editor and an author, and somebody who is in no team of it."""

    def __init__(self, people: People, house: House) -> None:
        self.accounts = {role: people.account(password=False) for role in Role}
        self.other = people.account(password=False)
        self.house = house
        self.channel = team(house, *((account, role) for role, account in self.accounts.items()))
        self.path = MEMBERS.format(self.channel.handle)
        self.known = {role: known(house, account) for role, account in self.accounts.items()}
        self.stranger = known(house, self.other)

    def member(self, account: Account) -> str:
        return f"{self.path}/{account.handle}"

    def roles(self) -> dict[str, str]:
        with self.house.database.transaction() as session:
            query = select(Account.handle, Membership.role).join(Membership)
            return dict(session.exec(query.where(Membership.channel_id == self.channel.id)).all())


@pytest.fixture
def brand(people: People, house: House) -> Brand:
    return Brand(people, house)


# Who is told, and who changes


def test_the_team_is_told_who_is_in_it_owners_first(client: TestClient, brand: Brand) -> None:
    for role in Role:
        told = client.get(brand.path, headers=brand.known[role])
        assert (told.status_code, told.headers["cache-control"]) == (200, "no-store")
        assert [(each["handle"], each["role"]) for each in told.json()["items"]] == [
            (brand.accounts[each].handle, each) for each in Role
        ]
        assert told.json()["items"][0]["since"] == "2026-11-23T22:00:00Z"


def test_who_is_not_in_a_team_learns_no_more_of_it_than_of_a_channel_that_is_not_there(
    client: TestClient, brand: Brand
) -> None:
    nobody = MEMBERS.format("nobody-at-all")
    for method, body in (("GET", {}), ("PUT", {"role": "owner"}), ("DELETE", {})):
        told = set()
        for path in (brand.path, nobody):
            accounts = [""] if method == "GET" else [brand.accounts[Role.AUTHOR].handle, brand.other.handle, "no-one"]
            for account in accounts:
                answer = client.request(method, f"{path}/{account}".rstrip("/"), headers=brand.stranger, json=body)
                told.add((answer.status_code, answer.text))
            assert client.request(method, f"{path}/{account}".rstrip("/"), json=body).status_code == 401
        assert len(told) == 1
        assert told.pop()[0] == 404
    assert set(brand.roles().values()) == set(Role)


def test_an_owner_gives_roles_and_nobody_else_does(client: TestClient, brand: Brand) -> None:
    path = brand.member(brand.other)
    for role in (Role.EDITOR, Role.AUTHOR):
        assert client.put(path, json={"role": "author"}, headers=brand.known[role]).status_code == 403
    for given in (Role.AUTHOR, Role.EDITOR, Role.OWNER, Role.AUTHOR):
        answer = client.put(path, json={"role": given}, headers=brand.known[Role.OWNER])
        assert (answer.status_code, answer.json()["handle"], answer.json()["role"]) == (200, brand.other.handle, given)
        assert brand.roles()[brand.other.handle] == given
    assert brand.other.handle in client.get(brand.path, headers=brand.stranger).text


@pytest.mark.parametrize("body", [{}, {"role": "king"}, {"role": ["owner"]}, {"role": "owner", "title": "x"}, []])
def test_what_is_no_role_is_refused(client: TestClient, brand: Brand, body: Any) -> None:
    answer = client.put(brand.member(brand.other), json=body, headers=brand.known[Role.OWNER])
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert brand.other.handle not in brand.roles()


def test_an_owner_takes_out_whom_they_like_and_a_member_themselves_alone(client: TestClient, brand: Brand) -> None:
    owner, editor, author = (brand.accounts[role] for role in Role)
    for role, account in ((Role.EDITOR, author), (Role.AUTHOR, editor), (Role.AUTHOR, owner)):
        assert client.delete(brand.member(account), headers=brand.known[role]).status_code == 403
    assert client.delete(brand.member(editor), headers=brand.known[Role.EDITOR]).status_code == 204
    assert client.delete(brand.member(author), headers=brand.known[Role.OWNER]).status_code == 204
    assert brand.roles() == {owner.handle: "owner"}
    assert client.delete(brand.member(author), headers=brand.known[Role.OWNER]).status_code == 404
    assert client.delete(brand.member(author), headers=brand.known[Role.AUTHOR]).status_code == 404


def test_a_handle_may_be_typed_as_people_type_it(client: TestClient, brand: Brand) -> None:
    author = brand.accounts[Role.AUTHOR]
    assert client.delete(f"{brand.path}/@{author.handle.upper()}", headers=brand.known[Role.AUTHOR]).status_code == 204


def test_the_only_owner_neither_leaves_nor_steps_down(client: TestClient, brand: Brand) -> None:
    owner = brand.member(brand.accounts[Role.OWNER])
    left = client.delete(owner, headers=brand.known[Role.OWNER])
    assert (left.status_code, left.json()["code"]) == (409, "conflict")
    assert client.put(owner, json={"role": "editor"}, headers=brand.known[Role.OWNER]).status_code == 409
    client.put(brand.member(brand.other), json={"role": "owner"}, headers=brand.known[Role.OWNER])
    assert client.delete(owner, headers=brand.known[Role.OWNER]).status_code == 204
    assert client.get(brand.path, headers=brand.known[Role.OWNER]).status_code == 404


def test_nobody_loses_the_channel_of_their_own_handle(client: TestClient, people: People, house: House) -> None:
    person, friend = people.account(password=False), people.account(password=False)
    own, path = channel_of(house, person), MEMBERS.format(person.handle)
    with house.database.transaction() as session:
        channels.set_member(session, own, friend, Role.OWNER, now=house.now())
    for headers in (known(house, person), known(house, friend)):
        assert client.delete(f"{path}/{person.handle}", headers=headers).status_code == 409
        assert client.put(f"{path}/{person.handle}", json={"role": "author"}, headers=headers).status_code == 409
    assert client.delete(f"{path}/{friend.handle}", headers=known(house, person)).status_code == 204


def test_another_sites_page_changes_no_team(people: People, house: House) -> None:
    person, friend = people.account(), people.account()
    channel = team(house, (person, Role.OWNER), (friend, Role.OWNER))
    browser, path = people.signed_in(person), MEMBERS.format(channel.handle)
    for method, account in (("PUT", friend), ("DELETE", friend), ("DELETE", person)):
        answer = browser.request(
            method, f"{path}/{account.handle}", json={"role": "author"}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert answer.status_code == 403
    assert browser.delete(f"{path}/{person.handle}", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 204


# At once


def at_once(*works: Any) -> list[Any]:
    """What each returned, or the code that it was refused with; they begin together."""
    ready = Barrier(len(works))

    def run(work: Any) -> Any:
        ready.wait(60)
        try:
            return work()
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result(120) for each in [pool.submit(run, work) for work in works]]


def test_of_owners_who_leave_at_once_one_stays(house: House, people: People) -> None:
    for _ in range(4):
        owners = [people.account(password=False) for _ in range(3)]
        channel = team(house, *((each, Role.OWNER) for each in owners))

        def leaving(account: Account, channel: Channel = channel) -> Any:
            with house.database.transaction() as session:
                channels.remove_member(session, channel, account)

        told = at_once(*(lambda each=each: leaving(each) for each in owners))
        assert sorted(map(str, told)) == ["None", "None", "conflict"]


def test_an_owner_who_was_taken_out_while_they_waited_takes_out_nobody(
    client: TestClient, house: House, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged, then held up: who asked is judged once more when nobody can change the team any longer."""
    hold, owner, author = channels.hold, brand.accounts[Role.OWNER], brand.accounts[Role.AUTHOR]
    with house.database.transaction() as session:
        channels.set_member(session, brand.channel, brand.other, Role.OWNER, now=house.now())

    def held_up(session: Any, channel: Channel, account: Account) -> Any:
        monkeypatch.setattr(channels, "hold", hold)
        with house.database.transaction() as other:
            channels.remove_member(other, brand.channel, owner)
        return hold(session, channel, account)

    monkeypatch.setattr(channels, "hold", held_up)
    assert client.delete(brand.member(author), headers=brand.known[Role.OWNER]).status_code == 403
    assert brand.roles()[author.handle] == "author"


def test_a_closed_account_is_in_no_team(house: House, brand: Brand) -> None:
    with house.database.transaction() as session:
        accounts.close(session, session.merge(brand.other), now=house.now())
    for change in (
        lambda session: channels.set_member(session, brand.channel, brand.other, Role.OWNER, now=house.now()),
        lambda session: channels.remove_member(session, brand.channel, brand.other),
    ):
        with pytest.raises(Refused) as refused, house.database.transaction() as session:
            change(session)
        assert refused.value.code == Code.NOT_FOUND


# At the next request


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
