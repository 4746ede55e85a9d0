"""One's own account: seen by its owner alone, changed from its own page alone."""

import pytest

from bubbles import accounts, policy
from bubbles.db import accounts as rows
from bubbles.http.routes import OPERATIONS
from bubbles.policy import Action
from tests.http.hostile import parsed
from tests.http.people import AGES_S, NEW_PASSWORD, PASSWORD, account_page, enter, is_in

KEPT = [(row.method, row.path) for row in OPERATIONS if row.action is Action.KEEP_ACCOUNT and row.takes != "Credential"]
IN_JSON = {"/account/passkeys/challenge": {}}


# Whose it is


@pytest.mark.parametrize(("method", "path"), KEPT)
def test_a_stranger_is_led_to_sign_in_or_told_to(people, method, path):
    answer = people.browser().request(method, path, json=IN_JSON.get(path))
    assert answer.headers.get("location") == "/sign-in?next=/account" or answer.status_code == 401


@pytest.mark.parametrize(("method", "path"), KEPT)
def test_a_token_opens_no_account(people, owner, house, method, path):
    with house.database.transaction() as session:
        token = accounts.new_token(session, accounts.require(session, owner.handle), now=house.now())
    answer = people.browser().request(
        method, path, json=IN_JSON.get(path), headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.headers.get("location") == "/sign-in?next=/account" or answer.status_code == 401


def test_what_the_table_does_not_grant_to_oneself_is_refused(people, owner, monkeypatch):
    browser = people.signed_in(owner)
    monkeypatch.setitem(policy.MAY, Action.KEEP_ACCOUNT, frozenset())
    assert browser.post("/account/tokens").headers["location"] == "/sign-in?next=/account"


@pytest.mark.parametrize("path", [path for method, path in KEPT if method == "POST"])
def test_another_site_changes_nothing(people, owner, path):
    browser = people.signed_in(owner)
    fields = {"password": NEW_PASSWORD, "others": "end", "handle": owner.handle}
    for headers in ({"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}):
        assert browser.post(path, data=fields, headers=headers).status_code == 403
    assert enter(people.browser(), owner.handle).status_code == 303


def test_the_page_says_who_one_is_and_in_french_too(people, owner):
    browser = people.signed_in(owner)
    assert f"@{owner.handle}" in account_page(browser)
    french = account_page(browser, **{"Accept-Language": "fr"})
    assert "Votre compte" in french
    assert "Firefox sur Android" in french
    assert "23 novembre 2026" in french


def test_what_an_address_says_was_done_is_one_of_ours(people, owner):
    browser = people.signed_in(owner)
    assert "The passkey is removed." in browser.get("/account?done=passkey_removed").text
    for made_up in ("<script>", "title", "", "../x"):
        assert 'class="done"' not in browser.get("/account", params={"done": made_up}).text


# The password


def test_a_new_password_takes_the_present_one(people, owner, clock):
    browser = people.signed_in(owner)
    clock.pass_s(AGES_S)
    wrong = browser.post("/account/password", data={"present": "guessed guessed", "password": NEW_PASSWORD})
    assert wrong.status_code == 403
    assert "not your present password" in wrong.text
    assert browser.post("/account/password", data={"password": NEW_PASSWORD}).status_code == 403
    right = browser.post("/account/password", data={"present": PASSWORD, "password": NEW_PASSWORD})
    assert right.headers["location"] == "/account?done=password#password"
    assert enter(people.browser(), owner.handle).status_code == 401
    assert enter(people.browser(), owner.handle, NEW_PASSWORD).status_code == 303


@pytest.mark.parametrize(
    ("password", "why"), [("short", "too short"), ("password12", "guessed"), ("x1y2z3w4" * 200, "too long")]
)
def test_a_weak_password_is_not_taken(people, owner, password, why):
    browser = people.signed_in(owner)
    answer = browser.post("/account/password", data={"present": PASSWORD, "password": password})
    assert answer.status_code == 422
    assert why in answer.text
    assert enter(people.browser(), owner.handle).status_code == 303


def test_guesses_at_the_present_password_are_bounded_and_shut_nobody_out_at_the_door(people, owner, clock):
    browser, other = people.signed_in(owner), people.signed_in(owner)
    clock.pass_s(AGES_S)
    wrong = {"present": "guessed guessed", "password": NEW_PASSWORD}
    assert [browser.post("/account/password", data=wrong).status_code for _ in range(10)] == [403] * 10
    refused = other.post("/account/password", data={"present": PASSWORD, "password": NEW_PASSWORD})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    assert enter(people.browser(), owner.handle).status_code == 303


def test_guesses_of_strangers_keep_nobody_from_a_new_password(people, owner, clock):
    browser = people.signed_in(owner)
    clock.pass_s(AGES_S)
    strangers = people.browser()
    assert [enter(strangers, owner.handle, "wrong wrong wrong").status_code for _ in range(11)] == [401] * 10 + [429]
    right = {"present": PASSWORD, "password": NEW_PASSWORD}
    assert browser.post("/account/password", data=right).status_code == 303


def test_just_after_a_link_or_a_code_the_present_password_is_not_asked_for(people, owner, clock):
    (code, *_), link = people.codes(owner), people.link(owner)
    by_code, by_link = people.browser(), people.browser()
    enter(by_code, owner.handle, way="recovery_code", code=code)
    by_link.post(link)
    for browser in (by_code, by_link):
        assert 'name="present"' not in account_page(browser)
    clock.pass_s(14 * 60)
    assert by_code.post("/account/password", data={"password": NEW_PASSWORD}).status_code == 303
    clock.pass_s(60)
    assert 'name="present"' in account_page(by_link)
    assert by_link.post("/account/password", data={"password": PASSWORD}).status_code == 403


def test_who_has_no_password_sets_the_first_one_at_any_time(people, clock):
    account = people.account(password=False)
    browser = people.browser()
    browser.post(people.link(account))
    clock.pass_s(3600)
    assert 'name="present"' not in account_page(browser)
    assert browser.post("/account/password", data={"password": NEW_PASSWORD}).status_code == 303
    assert enter(people.browser(), account.handle, NEW_PASSWORD).status_code == 303


def test_a_new_password_ends_the_other_sessions_if_asked(people, owner):
    browser, other, third = (people.signed_in(owner) for _ in range(3))
    browser.post("/account/password", data={"present": PASSWORD, "password": NEW_PASSWORD})
    assert is_in(other)
    browser.post("/account/password", data={"present": NEW_PASSWORD, "password": PASSWORD, "others": "end"})
    assert (is_in(browser), is_in(other), is_in(third)) == (True, False, False)


# What the forms send


def test_every_form_of_the_page_leads_to_a_row_of_the_url_table(people, owner):
    browser = people.signed_in(owner)
    people.signed_in(owner)
    browser.post("/account/tokens", data={"name": "a"})
    actions = {action.partition("#")[0] for action in parsed(account_page(browser)).all("form", "action")} - {
        "/preferences"
    }
    assert len(actions) > 4
    last = sorted(actions, key=lambda action: action == "/sign-out")
    answers = {action: browser.post(action).status_code for action in last}
    assert set(answers.values()) <= {200, 303, 400, 422}, answers


def test_a_form_that_is_none_is_refused(people, owner):
    browser = people.signed_in(owner)
    for body in (b"\xff", b"a=%ff", b"x" * 70_000, b"&".join(b"a=%d" % n for n in range(200))):
        assert browser.post("/account/tokens", content=body).status_code in {400, 413}


def test_a_closed_accounts_owner_is_a_stranger(people, owner, house):
    browser = people.signed_in(owner)
    with house.database.transaction() as session:
        accounts.close(session, accounts.require(session, owner.handle), now=house.now())
    assert browser.get("/account").status_code == 303
    with house.database.transaction() as session:
        assert rows.password(session, owner.id) is None
        assert rows.recovery_codes_left(session, owner.id) == 0
