"""Passkeys as their owner keeps them: named, removed, and never the last way in."""

import pytest

from tests.http.authenticator import add, kept


@pytest.fixture
def owner(people):
    """Who has a passkey."""
    account = people.account()
    add(people.signed_in(account))
    return account


def test_a_passkey_is_named_anew_and_removed(people, house, owner):
    browser = people.signed_in(owner)
    (row,) = kept(house, owner)
    told = browser.post("/account/passkeys/rename", data={"passkey": row.id, "name": " My <b>phone</b> "})
    assert told.headers["location"] == "/account?done=passkey_named#passkeys"
    assert "My &lt;b&gt;phone&lt;/b&gt;" in browser.get("/account").text
    assert browser.post("/account/passkeys/remove", data={"passkey": row.id}).status_code == 303
    assert kept(house, owner) == []


def test_nobody_touches_anothers_passkey(people, house, owner):
    (row,) = kept(house, owner)
    other = people.signed_in()
    for path in ("rename", "remove"):
        assert other.post(f"/account/passkeys/{path}", data={"passkey": row.id, "name": "mine"}).status_code == 404
    assert [each.name for each in kept(house, owner)] == ["Blue key"]


def test_the_last_passkey_of_who_has_no_password_stays(people, house):
    account = people.account(password=False)
    browser = people.browser()
    browser.post(people.link(account))
    add(browser)
    (row,) = kept(house, account)
    refused = browser.post("/account/passkeys/remove", data={"passkey": row.id})
    assert refused.status_code == 409
    assert "only way in" in refused.text
    assert len(kept(house, account)) == 1
