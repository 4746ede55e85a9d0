"""Teams: who is told of them, who changes them, and that whoever is out of one is out at the next request."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select
from starlette.testclient import TestClient

from bubbles import accounts, channels
from bubbles.app import House
from bubbles.db import accounts as account_rows
from bubbles.db import tokens as token_rows
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.channel import Channel, Membership, Role
from tests.http.people import People
from tests.http.test_export import channel_of
from tests.http.test_leaving import team
from tests.journey.service import wait_for

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


def test_nobody_makes_another_own_the_channel_of_their_own_handle(
    client: TestClient, people: People, house: House
) -> None:
    """They would be left with it by whoever leaves, and could not leave it themselves."""
    person, friend = people.account(password=False), people.account(password=False)
    headers, path = known(house, person), f"{MEMBERS.format(person.handle)}/{friend.handle}"
    assert client.put(path, json={"role": "owner"}, headers=headers).status_code == 409
    assert client.put(path, json={"role": "editor"}, headers=headers).status_code == 200
    assert client.put(path, json={"role": "owner"}, headers=headers).status_code == 409


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


def test_a_member_leaves_by_a_token_while_their_tokens_are_being_revoked(
    client: TestClient, house: House, brand: Brand
) -> None:
    """Neither waits for the other for ever: the token's use is noted before its account is locked, and let go of."""
    author, pool = brand.accounts[Role.AUTHOR], ThreadPoolExecutor(1)
    with pool, house.database.transaction() as session:
        account_rows.lock(session, author.id)
        leaving = pool.submit(client.delete, brand.member(author), headers=brand.known[Role.AUTHOR])
        wait_for(lambda: waits_for_a_lock(house))
        token_rows.revoke_all(session, author.id, house.now())
        session.commit()
        assert leaving.result(60).status_code == 204
    assert author.handle not in brand.roles()


def waits_for_a_lock(house: House) -> bool:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with house.database.transaction() as session:
        return bool(session.connection().execute(text(asked)).scalar_one())


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
