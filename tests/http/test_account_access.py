"""Who else gets in on an account's behalf: its sessions, recovery codes, tokens and invitations."""

import re

import pytest

from tests.http.people import NEW_PASSWORD, account_page, codes_of, enter, is_in, numbers

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


# Sessions


def test_sessions_are_told_by_browser_and_system_and_nothing_finer(people, owner):
    browser = people.signed_in(owner, host="203.0.113.50")
    people.signed_in(owner, agent=IPHONE)
    people.signed_in(owner, agent=EDGE)
    people.signed_in(owner, agent="curl/8")
    page = account_page(browser)
    for device in ("Firefox on Android", "Safari on iPhone", "Edge on Windows", "A browser"):
        assert f"<strong>{device}</strong>" in page
    assert page.count("this one") == 1
    assert "203.0.113" not in page and "140" not in page


def test_a_session_ended_elsewhere_stops_at_once(people, owner):
    browser = people.signed_in(owner)
    other = people.signed_in(owner, agent=EDGE)
    (number,) = numbers(account_page(browser), "session")
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
    assert "nowhere else" in account_page(browser)


def test_nobody_ends_anothers_session_or_a_made_up_one(people, owner):
    mine, theirs = people.signed_in(owner), people.signed_in()
    people.signed_in(owner)
    (number,) = numbers(account_page(mine), "session")
    digits = (("9" * 40, 400), ("9" * 5000, 400))
    for made_up, status in ((number, 404), ("0", 404), ("-1", 400), ("x", 400), ("²", 400), ("", 400), *digits):
        assert theirs.post("/account/sessions/end", data={"session": made_up}).status_code == status
    assert numbers(account_page(mine), "session") == [number]


# Recovery codes


def test_renewed_codes_are_shown_once_and_void_the_others(people, owner):
    old, browser = people.codes(owner), people.signed_in(owner)
    assert "10 codes left" in account_page(browser)
    new = codes_of(browser.post("/account/recovery-codes"))
    assert len(new) == 10
    assert not set(new) & set(old)
    assert enter(people.browser(), owner.handle, way="recovery_code", code=old[0]).status_code == 401
    assert enter(people.browser(), owner.handle, way="recovery_code", code=new[0]).status_code == 303
    assert "9 codes left" in account_page(browser)


# Tokens


def test_a_token_is_shown_once_lets_in_and_is_revoked(people, owner):
    browser = people.signed_in(owner)
    page = browser.post("/account/tokens", data={"name": " My <i>script</i> "}).text
    (secret,) = re.findall(r'value="([\w-]{43})"', page)
    program = {"Authorization": f"Bearer {secret}"}
    assert people.browser().get("/me", headers=program).status_code == 200
    page = account_page(browser)
    assert secret not in page
    assert "My &lt;i&gt;script&lt;/i&gt;" in page
    (number,) = numbers(page, "token")
    assert people.signed_in().post("/account/tokens/revoke", data={"token": number}).status_code == 404
    assert browser.post("/account/tokens/revoke", data={"token": number}).status_code == 303
    assert people.browser().get("/me", headers=program).status_code == 401
    assert numbers(account_page(browser), "token") == []


def test_a_name_is_bounded_and_clean(people, owner):
    browser = people.signed_in(owner)
    for name in ("x" * 61, "a\x00b", "\u202eevil"):
        assert browser.post("/account/tokens", data={"name": name}).status_code == 422
    assert numbers(account_page(browser), "token") == []


# Invitations


def test_an_invitation_is_shown_once_and_lets_one_person_in(people, owner, house, clock):
    browser = people.signed_in(owner)
    page = browser.post("/account/invitations").text
    (code,) = re.findall(r'value="http://localhost:8000/sign-up\?invitation=([0-9a-z-]{19})"', page)
    page = account_page(browser)
    assert code not in page
    assert "1 invitation waits" in page
    fields = {"handle": "invited", "password": NEW_PASSWORD, "terms": "agreed", "invitation": code}
    assert people.browser().post("/sign-up", data=fields).status_code == 200
    assert "waits to be used" not in account_page(browser)


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
    assert "/account/invitations" not in account_page(browser)
    assert browser.post("/account/invitations").status_code == 403
