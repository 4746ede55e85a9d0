"""Leaving: the account is closed at once, what is theirs alone goes, and what a team shares stays."""

import re
from typing import Any

import pytest
from sqlmodel import select

from bubbles import accept, accounts, channels, leave, moderation
from bubbles.app import House
from bubbles.db import bubbles, discards
from bubbles.db import channels as channel_rows
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel, Role
from bubbles.upkeep import discard
from tests.http.conftest import Clock
from tests.http.pages_fixtures import Stage
from tests.http.people import PASSWORD, People, enter, is_in
from tests.http.test_export import channel_of
from tests.http.uploading import post


def team(house: House, *members: tuple[Account, Role]) -> Channel:
    """A brand's channel; the first member is its owner."""
    with house.database.transaction() as session:
        owner = members[0][0]
        channel = channels.create(session, f"brand-of-{owner.handle}", owner=owner, now=house.now())
        for account, role in members[1:]:
            channels.set_member(session, channel, account, role, now=house.now())
    return channel


def gone(house: House, bubble: Bubble) -> bool:
    with house.database.transaction() as session:
        return bubbles.get(session, bubble.id).withdrawn_at is not None


def go(browser: Any, account: Account, **fields: str) -> Any:
    return browser.post("/account/delete", data={"handle": account.handle, "present": PASSWORD} | fields)


def test_leaving_closes_every_way_in_and_withdraws_what_is_theirs(people: People, stage: Stage, house: House) -> None:
    account = people.account()
    bubble = stage.bubble(channel=channel_of(house, account), author_id=account.id)
    with house.database.transaction() as session:
        token = accounts.new_token(session, account, now=house.now())
    browser, elsewhere, link = people.signed_in(account), people.signed_in(account), people.link(account)
    code = people.codes(account)[0]
    answer = go(browser, account)
    assert answer.status_code == 200
    assert "Your account is closed" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    for each in (browser, elsewhere):
        assert not is_in(each)
    stranger = people.browser()
    assert enter(stranger, account.handle).status_code == 401
    assert stranger.post(link).status_code == 404
    assert stranger.get("/api/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert enter(stranger, account.handle, way="recovery_code", code=code).status_code == 401
    assert not gone(house, bubble)
    for path in (f"/b/{bubble.code}", f"/media/{bubble.code}.m4a", f"/api/bubbles/{bubble.code}"):
        assert stranger.get(path).status_code == 404  # at once, before the worker has done anything
    assert bubble.code not in stranger.get(f"/api/bubbles?channel={account.handle}").text
    leave.go_on(house.database, now=house.now())
    assert gone(house, bubble)
    assert list(house.blobs.keys(f"renditions/{bubble.code}")) != []  # doomed: upkeep deletes them
    for path in (f"/b/{bubble.code}", f"/@{account.handle}"):
        assert stranger.get(path).status_code == 404


def test_what_goes_is_hidden_with_the_account_and_the_worker_is_told(
    people: People, stage: Stage, house: House
) -> None:
    account = people.account()
    made = [stage.bubble(channel=channel_of(house, account), author_id=account.id) for _ in range(3)]
    assert go(people.signed_in(account), account).status_code == 200
    with house.database.transaction() as session:
        assert {bubbles.get(session, each.id).visibility for each in made} == {"private"}
        waiting = "SELECT 1 FROM procrastinate_jobs WHERE task_name = 'leave' AND status = 'todo'"
        assert session.connection().exec_driver_sql(waiting).first()
    leave.go_on(house.database, now=house.now())
    assert all(gone(house, each) for each in made)


def test_a_departure_that_fails_holds_up_no_other(
    people: People, stage: Stage, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for _ in range(2):
        account = people.account()
        made.append(stage.bubble(channel=channel_of(house, account), author_id=account.id))
        assert go(people.signed_in(account), account).status_code == 200
    withdraw = moderation.withdraw

    def breaking(session: Any, bubble: Bubble, **told: Any) -> None:
        if bubble.id == made[0].id:
            raise RuntimeError
        withdraw(session, bubble, **told)

    with monkeypatch.context() as broken:
        broken.setattr(moderation, "withdraw", breaking)
        leave.go_on(house.database, now=house.now())
    assert [gone(house, each) for each in made] == [False, True]
    leave.go_on(house.database, now=house.now())
    assert gone(house, made[0])


def test_a_handle_is_never_given_to_anybody_else(people: People, house: House) -> None:
    account = people.account()
    assert go(people.signed_in(account), account).status_code == 200
    with house.database.transaction() as session, pytest.raises(Refused) as refused:
        accounts.create(session, account.handle, now=house.now())
    assert refused.value.code == Code.CONFLICT


def test_what_stands_in_a_channel_of_others_stays_unless_it_is_taken_along(
    people: People, stage: Stage, house: House
) -> None:
    for everywhere in ({}, {"everywhere": "yes"}):
        account, owner = people.account(), people.account()
        brand = team(house, (owner, Role.OWNER), (account, Role.AUTHOR))
        mine = stage.bubble(channel=brand, author_id=account.id)
        theirs = stage.bubble(channel=brand, author_id=owner.id)
        assert go(people.signed_in(account), account, **everywhere).status_code == 200
        leave.go_on(house.database, now=house.now())
        assert gone(house, mine) == bool(everywhere)
        assert not gone(house, theirs)


def test_who_is_no_longer_in_a_team_takes_nothing_from_it(people: People, stage: Stage, house: House) -> None:
    account, owner = people.account(), people.account()
    brand = team(house, (owner, Role.OWNER), (account, Role.AUTHOR))
    bubble = stage.bubble(channel=brand, author_id=account.id)
    with house.database.transaction() as session:
        membership = channel_rows.membership(session, brand.id, account.id)
        session.delete(membership)
    assert go(people.signed_in(account), account, everywhere="yes").status_code == 200
    leave.go_on(house.database, now=house.now())
    assert not gone(house, bubble)
    assert people.browser().get(f"/b/{bubble.code}").status_code == 200


def test_a_team_is_not_left_without_an_owner(people: People, stage: Stage, house: House) -> None:
    account, colleague = people.account(), people.account()
    brand = team(house, (account, Role.OWNER), (colleague, Role.EDITOR))
    browser = people.signed_in(account)
    answer = go(browser, account)
    assert answer.status_code == 409
    assert f"@{brand.handle}" in answer.text
    assert f"bubbles channel member {brand.handle}" in answer.text
    assert 'href="/contact"' in answer.text.partition('id="leaving"')[2]
    assert is_in(browser)
    with house.database.transaction() as session:
        channels.set_member(session, brand, colleague, Role.OWNER, now=house.now())
    bubble = stage.bubble(channel=brand, author_id=account.id)
    assert go(browser, account).status_code == 200
    leave.go_on(house.database, now=house.now())
    assert not gone(house, bubble)


def test_a_channel_without_a_team_goes_with_its_only_owner(people: People, stage: Stage, house: House) -> None:
    account = people.account()
    bubble = stage.bubble(channel=team(house, (account, Role.OWNER)), author_id=account.id)
    assert go(people.signed_in(account), account).status_code == 200
    leave.go_on(house.database, now=house.now())
    assert gone(house, bubble)


@pytest.mark.parametrize(
    ("fields", "status"), [({"handle": "somebody"}, 400), ({"handle": ""}, 400), ({"present": "wrong"}, 403)]
)
def test_nothing_is_closed_unless_it_is_meant(
    people: People, fields: dict[str, str], status: int, clock: Clock
) -> None:
    account = people.account()
    browser = people.signed_in(account)
    clock.pass_s(16 * 60)
    answer = go(browser, account, **fields)
    assert answer.status_code == status
    assert "nothing was closed" in answer.text
    assert is_in(browser)


def test_no_other_site_and_no_stranger_closes_an_account(people: People) -> None:
    account = people.account()
    browser = people.signed_in(account)
    form = {"handle": account.handle, "present": PASSWORD}
    forged = browser.post("/account/delete", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert forged.status_code == 403
    assert people.browser().post("/account/delete", data=form).headers["location"].startswith("/sign-in")
    assert is_in(browser)


def test_what_a_crash_left_over_is_withdrawn_later(people: People, stage: Stage, house: House, clock: Any) -> None:
    account = people.account()
    made = [stage.bubble(channel=channel_of(house, account), author_id=account.id) for _ in range(3)]
    with house.database.transaction() as session:
        leave.leave(session, session.merge(account), everywhere=False, now=house.now())
    assert not any(gone(house, bubble) for bubble in made)  # the process died here
    assert leave.go_on(house.database, now=house.now()) == 3
    assert all(gone(house, bubble) for bubble in made)
    stage.bubble(channel=channel_of(house, account), author_id=account.id)
    assert leave.go_on(house.database, now=house.now()) == 0  # the departure is done with


def test_what_is_still_on_its_way_when_its_author_leaves_is_not_published(
    people: People, house: House, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = people.account()
    browser, decode = people.signed_in(account), accept.sandbox.decode

    def meanwhile(*arguments: Any) -> Any:
        assert go(people.signed_in(account), account).status_code == 200
        return decode(*arguments)

    monkeypatch.setattr(accept.sandbox, "decode", meanwhile)
    with browser:
        assert post(browser, {}).status_code == 403
    with house.database.transaction() as session:
        assert session.exec(select(Bubble).where(Bubble.author_id == account.id)).all() == []
    clock.pass_s(discards.GRACE.total_seconds())
    discard(house.database, house.blobs, now=clock())
    assert list(house.blobs.keys("recordings/")) == []


def test_one_leaves_once(people: People, house: House) -> None:
    account = people.account()
    with house.database.transaction() as session:
        known = session.merge(account)
        leave.leave(session, known, everywhere=False, now=house.now())
        with pytest.raises(Refused, match="closed already"):
            leave.leave(session, known, everywhere=False, now=house.now())


def test_the_account_page_leads_to_both(people: People) -> None:
    told = people.signed_in().get("/account").text
    assert re.search(r'action="/account/export"', told)
    assert re.search(r'action="/account/delete"', told)
