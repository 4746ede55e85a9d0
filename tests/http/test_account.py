"""One's own account: seen by its owner alone, changed from its own page alone."""

import re

import pytest

from bubbles import accounts
from bubbles.db import accounts as rows
from tests.http.hostile import parsed
from tests.http.people import PASSWORD, People, codes_of, enter, is_in

NEW = "nine pears sail away"
FORMS = (
    *("password", "passkeys/rename", "passkeys/remove", "recovery-codes", "sessions/end"),
    *("tokens", "tokens/revoke", "invitations"),
)
AGES = 16 * 60
"""Seconds after which a session is no proof any more of who sits at it."""

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


@pytest.fixture
def people(house):
    return People(house)


@pytest.fixture
def owner(people):
    return people.account()


def told(browser, **headers):
    answer = browser.get("/account", headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return answer.text


def numbers(page, name):
    """The rows that the buttons of a page name."""
    return re.findall(rf'name="{name}" value="(\d+)"', page)


# Whose it is


def test_strangers_are_led_to_sign_in_and_back(people):
    browser = people.browser()
    assert browser.get("/account").headers["location"] == "/sign-in?next=/account"
    for form in FORMS:
        answer = browser.post(f"/account/{form}", data={"password": NEW, "passkey": "1", "token": "1", "session": "1"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/account"), form


def test_a_token_opens_no_account(people, owner, house):
    with house.database.transaction() as session:
        token = accounts.new_token(session, accounts.require(session, owner.handle), now=house.now())
    headers = {"Authorization": f"Bearer {token}"}
    assert people.browser().get("/account", headers=headers).status_code == 303
    assert people.browser().post("/account/tokens", headers=headers).status_code == 303


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}])
def test_another_site_changes_nothing(people, owner, form, headers):
    browser = people.signed_in(owner)
    assert browser.post(f"/account/{form}", data={"password": NEW, "others": "end"}, headers=headers).status_code == 403
    assert enter(people.browser(), owner.handle).status_code == 303


def test_the_page_says_who_one_is_and_in_french_too(people, owner):
    browser = people.signed_in(owner)
    assert f"@{owner.handle}" in told(browser)
    french = told(browser, **{"Accept-Language": "fr"})
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
    clock.pass_s(AGES)
    wrong = browser.post("/account/password", data={"present": "guessed guessed", "password": NEW})
    assert wrong.status_code == 403
    assert "not your present password" in wrong.text
    assert browser.post("/account/password", data={"password": NEW}).status_code == 403
    right = browser.post("/account/password", data={"present": PASSWORD, "password": NEW})
    assert right.headers["location"] == "/account?done=password#password"
    assert enter(people.browser(), owner.handle).status_code == 401
    assert enter(people.browser(), owner.handle, NEW).status_code == 303


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
    clock.pass_s(AGES)
    wrong = {"present": "guessed guessed", "password": NEW}
    assert [browser.post("/account/password", data=wrong).status_code for _ in range(10)] == [403] * 10
    refused = other.post("/account/password", data={"present": PASSWORD, "password": NEW})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    assert enter(people.browser(), owner.handle).status_code == 303


def test_guesses_of_strangers_keep_nobody_from_a_new_password(people, owner, clock):
    browser = people.signed_in(owner)
    clock.pass_s(AGES)
    strangers = people.browser()
    assert [enter(strangers, owner.handle, "wrong wrong wrong").status_code for _ in range(11)] == [401] * 10 + [429]
    right = {"present": PASSWORD, "password": NEW}
    assert browser.post("/account/password", data=right).status_code == 303


def test_just_after_a_link_or_a_code_the_present_password_is_not_asked_for(people, owner, clock):
    (code, *_), link = people.codes(owner), people.link(owner)
    by_code, by_link = people.browser(), people.browser()
    enter(by_code, owner.handle, way="recovery_code", code=code)
    by_link.post(link)
    for browser in (by_code, by_link):
        assert 'name="present"' not in told(browser)
    clock.pass_s(14 * 60)
    assert by_code.post("/account/password", data={"password": NEW}).status_code == 303
    clock.pass_s(60)
    assert 'name="present"' in told(by_link)
    assert by_link.post("/account/password", data={"password": PASSWORD}).status_code == 403


def test_who_has_no_password_sets_the_first_one_at_any_time(people, clock):
    account = people.account(password=False)
    browser = people.browser()
    browser.post(people.link(account))
    clock.pass_s(3600)
    assert 'name="present"' not in told(browser)
    assert browser.post("/account/password", data={"password": NEW}).status_code == 303
    assert enter(people.browser(), account.handle, NEW).status_code == 303


def test_a_new_password_ends_the_other_sessions_if_asked(people, owner):
    browser, other, third = (people.signed_in(owner) for _ in range(3))
    browser.post("/account/password", data={"present": PASSWORD, "password": NEW})
    assert is_in(other)
    browser.post("/account/password", data={"present": NEW, "password": PASSWORD, "others": "end"})
    assert (is_in(browser), is_in(other), is_in(third)) == (True, False, False)


# Sessions


def test_sessions_are_told_by_browser_and_system_and_nothing_finer(people, owner):
    browser = people.signed_in(owner, host="203.0.113.50")
    people.signed_in(owner, agent=IPHONE)
    people.signed_in(owner, agent=EDGE)
    people.signed_in(owner, agent="curl/8")
    page = told(browser)
    for device in ("Firefox on Android", "Safari on iPhone", "Edge on Windows", "A browser"):
        assert f"<strong>{device}</strong>" in page
    assert page.count("this one") == 1
    assert "203.0.113" not in page and "140" not in page


def test_a_session_ended_elsewhere_stops_at_once(people, owner):
    browser = people.signed_in(owner)
    other = people.signed_in(owner, agent=EDGE)
    (number,) = numbers(told(browser), "session")
    answer = browser.post("/account/sessions/end", data={"session": number})
    assert answer.headers["location"] == "/account?done=session_ended#sessions"
    assert (is_in(browser), is_in(other)) == (True, False)
    assert other.get("/account").status_code == 303
    assert browser.post("/account/sessions/end", data={"session": number}).status_code == 404


def test_all_other_sessions_end_together(people, owner):
    browser, others = people.signed_in(owner), [people.signed_in(owner) for _ in range(3)]
    assert browser.post("/account/sessions/end", data={"others": "end"}).status_code == 303
    assert is_in(browser)
    assert not any(is_in(other) for other in others)
    assert "nowhere else" in told(browser)


def test_nobody_ends_anothers_session_or_a_made_up_one(people, owner):
    mine, theirs = people.signed_in(owner), people.signed_in()
    people.signed_in(owner)
    (number,) = numbers(told(mine), "session")
    for made_up, status in ((number, 404), ("0", 404), ("-1", 400), ("x", 400), ("²", 400), ("9" * 40, 400), ("", 400)):
        assert theirs.post("/account/sessions/end", data={"session": made_up}).status_code == status
    assert numbers(told(mine), "session") == [number]


# Recovery codes


def test_renewed_codes_are_shown_once_and_void_the_others(people, owner):
    old, browser = people.codes(owner), people.signed_in(owner)
    assert "10 codes left" in told(browser)
    new = codes_of(browser.post("/account/recovery-codes"))
    assert len(new) == 10
    assert not set(new) & set(old)
    assert enter(people.browser(), owner.handle, way="recovery_code", code=old[0]).status_code == 401
    assert enter(people.browser(), owner.handle, way="recovery_code", code=new[0]).status_code == 303
    assert "9 codes left" in told(browser)


# Tokens


def test_a_token_is_shown_once_lets_in_and_is_revoked(people, owner):
    browser = people.signed_in(owner)
    page = browser.post("/account/tokens", data={"name": " My <i>script</i> "}).text
    (secret,) = re.findall(r'value="([\w-]{43})"', page)
    program = {"Authorization": f"Bearer {secret}"}
    assert people.browser().get("/me", headers=program).status_code == 200
    page = told(browser)
    assert secret not in page
    assert "My &lt;i&gt;script&lt;/i&gt;" in page
    (number,) = numbers(page, "token")
    assert people.signed_in().post("/account/tokens/revoke", data={"token": number}).status_code == 404
    assert browser.post("/account/tokens/revoke", data={"token": number}).status_code == 303
    assert people.browser().get("/me", headers=program).status_code == 401
    assert numbers(told(browser), "token") == []


def test_a_name_is_bounded_and_clean(people, owner):
    browser = people.signed_in(owner)
    for name in ("x" * 61, "a\x00b", "\u202eevil"):
        assert browser.post("/account/tokens", data={"name": name}).status_code == 422
    assert numbers(told(browser), "token") == []


# Invitations


def test_an_invitation_is_shown_once_and_lets_one_person_in(people, owner, house, clock):
    browser = people.signed_in(owner)
    page = browser.post("/account/invitations").text
    (code,) = re.findall(r'value="http://localhost:8000/sign-up\?invitation=([0-9a-z-]{19})"', page)
    page = told(browser)
    assert code not in page
    assert "1 invitation waits" in page
    fields = {"handle": "invited", "password": NEW, "terms": "agreed", "invitation": code}
    assert people.browser().post("/sign-up", data=fields).status_code == 200
    assert "waits to be used" not in told(browser)


def test_an_account_makes_so_many_invitations_a_day(people, owner, clock):
    browser = people.signed_in(owner, invitations_per_day=2)
    clock.pass_s(60)
    assert [browser.post("/account/invitations").status_code for _ in range(2)] == [200, 200]
    clock.pass_s(3600)
    refused = browser.post("/account/invitations")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(23 * 3600))
    clock.pass_s(23 * 3600)
    assert browser.post("/account/invitations").status_code == 200


@pytest.mark.parametrize("registration", ["open", "closed"])
def test_where_nobody_is_invited_nobody_invites(people, owner, registration):
    browser = people.signed_in(owner, registration=registration)
    assert "/account/invitations" not in told(browser)
    assert browser.post("/account/invitations").status_code == 403


# What the forms send


def test_every_form_of_the_page_leads_to_a_row_of_the_url_table(people, owner):
    browser = people.signed_in(owner)
    people.signed_in(owner)
    browser.post("/account/tokens", data={"name": "a"})
    actions = {action.partition("#")[0] for action in parsed(told(browser)).all("form", "action")} - {"/preferences"}
    assert len(actions) > 4
    answers = {action: browser.post(action).status_code for action in actions}
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
