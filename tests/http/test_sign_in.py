"""Signing in by password, recovery code and one-time link: who gets in, who does not, and how often one may try."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bubbles import accounts
from bubbles.db import accounts as rows
from bubbles.model import password as passwords
from tests.http.people import PASSWORD, enter, is_in

WRONG = "eight lemons walk home"


# Passwords


def test_handle_and_password_let_in(people):
    browser, account = people.browser(), people.account()
    answer = enter(browser, f" @{account.handle.upper()} ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/studio")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert is_in(browser)


def test_over_https_the_cookie_travels_over_https_only(people):
    browser = people.browser(base_url="https://bubbles.example")
    given = enter(browser, people.account().handle).headers["set-cookie"]
    assert given.startswith("__Host-bubbles_session=")
    assert "secure" in given.lower() and "path=/;" in given.lower() and "domain" not in given.lower()
    name, secret = given.partition(";")[0].split("=")
    for sent, is_ours in ((name, True), ("bubbles_session", False)):  # which a neighbouring host could have set
        stranger = people.browser(base_url="https://bubbles.example")
        assert (stranger.get("/me", headers={"Cookie": f"{sent}={secret}"}).status_code == 200) is is_ours
    left = browser.post("/sign-out", headers={"Cookie": f"{name}={secret}"}).headers["set-cookie"]
    assert left.startswith(f'{name}="";') and "secure" in left.lower()


def test_an_unknown_handle_and_a_wrong_password_are_told_alike(people):
    account, without = people.account(), people.account(password=False)
    told = {}
    for handle in (account.handle, without.handle, "nobody-at-all", "no handle!", ""):
        answer = enter(people.browser(), handle, WRONG)
        told[answer.status_code, re.sub('(name="handle" value=")[^"]*', r"\1", answer.text)] = handle
        assert "set-cookie" not in answer.headers
    assert [status for status, _ in told] == [401]


def test_a_password_is_compared_for_a_handle_that_nobody_has(people, monkeypatch):
    compared = []
    monkeypatch.setattr(passwords, "matches", lambda kept, password: compared.append(kept) or False)
    account = people.account()
    for handle in (account.handle, "nobody-at-all", people.account(password=False).handle):
        enter(people.browser(), handle)
    assert len(compared) == 3
    assert compared[1] == compared[2] == passwords.NOBODYS


def test_signing_in_ends_no_other_session_and_looking_begins_none(people):
    account = people.account()
    first, second = people.signed_in(account), people.signed_in(account)
    assert is_in(first) and is_in(second)
    for path in ("/sign-in", "/sign-up", "/account", "/"):
        assert "set-cookie" not in first.get(path).headers


def test_who_is_signed_in_goes_on(people):
    browser = people.signed_in()
    assert browser.get("/sign-in?next=/search?q=a").headers["location"] == "/search?q=a"
    assert browser.get("/sign-in?next=//evil.example").headers["location"] == "/studio"


def test_a_closed_account_lets_nobody_in_and_nobody_stay(people, house):
    account = people.account()
    (code, *_), link, browser = people.codes(account), people.link(account), people.signed_in(account)
    with house.database.transaction() as session:
        accounts.close(session, accounts.require(session, account.handle), now=house.now())
    assert not is_in(browser)
    assert enter(people.browser(), account.handle).status_code == 401
    assert enter(people.browser(), account.handle, way="recovery_code", code=code).status_code == 401
    assert people.browser().post(link).status_code == 404


def test_pages_of_the_door_are_kept_by_nobody(people):
    for path in ("/sign-in", "/sign-up", "/sign-in/unknown"):
        answer = people.browser().get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert 'content="noindex"' in answer.text


# Where to go on


HOSTILE = [
    *(
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:1",
    ),
    *("/a\r\nSet-Cookie: x=1", " /account", "account", "//[", "/\x00", "http:/account", "/a\\b"),
]


@pytest.mark.parametrize("wanted", HOSTILE)
def test_nobody_is_led_elsewhere(people, wanted):
    account = people.account()
    assert enter(people.browser(), account.handle, next=wanted).headers["location"] == "/studio"
    assert "evil" not in people.browser().get("/sign-in", params={"next": wanted}).text


def test_a_page_of_ours_is_gone_on_to(people):
    browser = people.browser()
    assert 'name="next" value="/account?a=b"' in browser.get("/sign-in?next=/account%3Fa%3Db").text
    answer = enter(browser, people.account().handle, next="/account?a=b")
    assert answer.headers["location"] == "/account?a=b"


# Another site's page


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/sign-in/passkey", "/sign-in/passkey/challenge"])
def test_another_site_signs_nobody_in_or_up(people, path, headers):
    handle = people.account().handle
    answer = people.browser().post(path, data={"handle": handle, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


# Recovery codes


def test_a_recovery_code_lets_in_once_and_asks_for_a_new_way_in(people):
    account = people.account()
    code, other, *_ = people.codes(account)
    browser = people.browser()
    answer = enter(browser, account.handle, way="recovery_code", code=f" {code.upper().replace('-', ' ')} ")
    assert answer.headers["location"] == "/account?done=recovered#password"
    assert "that recovery code is used up" in browser.get("/account?done=recovered").text
    assert enter(people.browser(), account.handle, way="recovery_code", code=code).status_code == 401
    assert enter(people.browser(), account.handle, way="recovery_code", code=other).status_code == 303


def test_a_recovery_code_is_of_its_account_alone(people):
    code, *_ = people.codes(people.account())
    assert enter(people.browser(), people.account().handle, way="recovery_code", code=code).status_code == 401
    assert enter(people.browser(), "", way="recovery_code", code=code).status_code == 401


def test_one_code_used_twice_at_once_lets_in_once(people):
    account = people.account()
    code, *_ = people.codes(account)
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(enter, people.browser(), account.handle, way="recovery_code", code=code) for _ in range(4)]
    assert sorted(each.result().status_code for each in tries) == [303, 401, 401, 401]


def test_who_guesses_passwords_does_not_shut_out_the_owners_codes(people):
    account = people.account()
    code, *_ = people.codes(account)
    for _ in range(11):
        enter(people.browser(), account.handle, WRONG)
    assert enter(people.browser(), account.handle, way="recovery_code", code=code).status_code == 303


# One-time links


def test_a_link_lets_in_once_and_leads_to_where_a_way_back_is_made(people):
    account = people.account(password=False)
    link, browser = people.link(account), people.browser()
    page = browser.get(link)
    assert page.status_code == 200
    assert f"as <strong>@{account.handle}</strong>" in page.text
    answer = browser.post(link)
    assert answer.headers["location"] == "/account?done=linked#password"
    assert "so that you can come back" in browser.get("/account?done=linked").text
    assert people.browser().post(link).status_code == 404


# Sessions


def test_a_session_ends_on_its_day(people, house, clock):
    browser = people.signed_in(session_days=2)
    clock.pass_s(timedelta(days=2).total_seconds() - 1)
    assert is_in(browser)
    clock.pass_s(1)
    assert not is_in(browser)


def test_the_day_of_the_last_visit_is_noted_and_nothing_finer(people, house, clock):
    account = people.account()
    browser = people.signed_in(account)

    def seen_on():
        with house.database.transaction() as session:
            (found,) = rows.web_sessions(session, account.id, house.now())
        return found.last_seen_on

    assert seen_on() is None
    browser.get("/me")
    assert seen_on() == clock().date()
    clock.pass_s(3 * 24 * 3600)
    browser.get("/me")
    assert seen_on() == clock().date()


def test_nobodys_hash_costs_what_everybodys_does():
    cost = "$argon2id$v=19$m=19456,t=2,p=1$"
    assert passwords.NOBODYS.startswith(cost) and passwords.hashed(PASSWORD).startswith(cost)
    assert not passwords.matches(passwords.NOBODYS, PASSWORD)
