"""An old session is no proof of who sits at it: what lets someone in, or shuts them out, asks for more."""

import pytest

from bubbles import sign_in
from bubbles.db import accounts as rows
from bubbles.db import tokens as token_rows
from bubbles.errors import Refused
from tests.http.authenticator import JSON, add, challenge, kept, use
from tests.http.people import AGES_S, NEW_PASSWORD, PASSWORD, codes_of, enter, is_in

CHALLENGE = "/account/passkeys/challenge"


def held(house, owner):
    """What there is of an account's ways in."""
    with house.database.transaction() as session:
        password = rows.password(session, owner.id)
        tokens, codes = token_rows.held(session, owner.id), rows.recovery_codes_left(session, owner.id)
        return len(kept(house, owner)), len(tokens), codes, password and password.hash


def changes(house, owner):
    """Each form that lets someone in, or shuts someone out."""
    (row,) = kept(house, owner)
    return {
        "recovery-codes": {},
        "tokens": {"name": "a"},
        "passkeys/remove": {"passkey": row.id},
        "password": {"password": NEW_PASSWORD},
        "delete": {"handle": owner.handle},
    }


def test_an_old_session_alone_changes_no_way_in(people, owner, house, clock):
    browser = people.signed_in(owner)
    add(browser)
    clock.pass_s(AGES_S)
    before, forms = held(house, owner), changes(house, owner)
    for form, fields in forms.items():
        for present in ({}, {"present": ""}, {"present": "wrong wrong"}):
            if form != "delete" or present:
                assert browser.post(f"/account/{form}", data=fields | present).status_code in {403, 429}, form
    assert browser.post(CHALLENGE, json={}, headers=JSON).status_code in {403, 429}
    assert held(house, owner) == before
    assert is_in(browser)


def test_with_the_present_password_it_does(people, owner, house, clock):
    browser = people.signed_in(owner)
    add(browser)
    clock.pass_s(AGES_S)
    forms = changes(house, owner)
    page = browser.get("/account").text
    assert page.count('name="present"') == len(forms) + 1
    assert browser.post(CHALLENGE, json={"present": PASSWORD}, headers=JSON).status_code == 200
    assert len(codes_of(browser.post("/account/recovery-codes", data={"present": PASSWORD}))) == 10
    for form in ("tokens", "passkeys/remove"):
        answer = browser.post(f"/account/{form}", data=forms[form] | {"present": PASSWORD})
        assert answer.status_code in {200, 303}, form
    assert held(house, owner)[:3] == (0, 1, 10)


def test_who_has_only_a_passkey_signs_in_again(people, house, clock):
    account = people.account(password=False)
    browser = people.browser()
    browser.post(people.link(account))
    passkey = add(browser)
    clock.pass_s(AGES_S)
    assert browser.post("/account/password", data={"password": NEW_PASSWORD}).status_code == 403
    refused = browser.post("/account/recovery-codes")
    assert refused.status_code == 403
    assert 'href="/sign-in?next=/account&amp;again=yes"' in refused.text
    assert "reconnectez-vous" in browser.get("/account", headers={"Accept-Language": "fr"}).text
    assert browser.get("/sign-in?next=/account&again=yes").status_code == 200
    assert use(browser, passkey.signed(challenge(browser)), next="/account").json() == {"next": "/account"}
    assert browser.post("/account/recovery-codes").status_code == 200
    with house.database.transaction() as session:
        assert len(rows.web_sessions(session, account.id, house.now())) == 1


# A change in between


def test_a_sign_in_under_way_does_not_outlive_a_change_of_password(people, owner, house):
    with house.database.transaction() as session:
        compared = sign_in.kept_password(session, owner.handle)
    browser = people.signed_in(owner)
    assert browser.post("/account/password", data={"password": NEW_PASSWORD, "others": "end"}).status_code == 303
    with house.database.transaction() as session, pytest.raises(Refused):
        sign_in.by_password(session, compared, is_right=True)


def test_a_new_password_that_ends_all_else_ends_unused_links_too(people, owner):
    browser, link = people.signed_in(owner), people.link(owner)
    browser.post("/account/password", data={"password": NEW_PASSWORD})
    assert people.browser().get(link).status_code == 200
    browser.post("/account/password", data={"password": NEW_PASSWORD, "others": "end"})
    assert people.browser().post(link).status_code == 404
    assert enter(people.browser(), owner.handle, NEW_PASSWORD).status_code == 303
