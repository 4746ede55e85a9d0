"""Who else gets in on an account's behalf: its sessions, recovery codes, tokens and invitations."""

import re

import pytest

from tests.http.hostile import parsed
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
    assert page.count("this one") == 2  # of the sessions, and of the browsers that are known
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


def made(browser, **fields):
    """The token that the form makes with these fields."""
    answer = browser.post("/account/tokens", data=fields)
    assert answer.status_code == 200, answer.text
    (secret,) = re.findall(r'value="([\w-]{43})"', answer.text)
    return {"Authorization": f"Bearer {secret}"}


def test_the_page_offers_scopes_and_an_end_and_the_least_is_chosen(people, owner):
    form = parsed(account_page(people.signed_in(owner)))
    names = set(form.all("input", "name"))
    assert {"opens", "scope_publish", "scope_edit", "scope_statistics", "days"} <= names
    checked = re.findall(r'name="(opens|scope_\w+)" value="(\w+)" checked', account_page(people.signed_in(owner)))
    assert checked == [("opens", "scopes"), ("scope_publish", "yes")]


def test_a_token_is_limited_as_was_chosen_and_shown_so(people, owner, clock):
    browser = people.signed_in(owner)
    limited = made(browser, name="Sums", opens="scopes", scope_statistics="yes", scope_edit="yes", days="30")
    everything = made(browser, name="All", opens="everything", days="")
    old_form = made(browser, name="As before")
    program = people.browser()
    assert program.get(f"/api/channels/{owner.handle}/stats", headers=limited).status_code == 200
    assert program.post("/api/bubbles", headers=limited).status_code == 403
    for headers in (everything, old_form):
        assert program.post("/api/bubbles", headers=headers).status_code == 400
    page = " ".join(account_page(browser).split())
    assert "Edit, Statistics, until 23 December 2026" in page
    assert page.count("Everything, no end") == 2
    assert page.count("last used on 23 November 2026") == 3
    assert "Modifier, Statistiques, jusqu’au 23 décembre 2026" in " ".join(
        account_page(browser, **{"Accept-Language": "fr"}).split()
    )
    clock.pass_s(30 * 24 * 3600 - 1)
    assert program.get("/api/me", headers=limited).status_code == 200
    clock.pass_s(1)
    assert program.get("/api/me", headers=limited).status_code == 401
    assert "ended on 23 December 2026" in account_page(people.signed_in(owner))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"opens": "scopes"}, "at least one thing"),
        ({"opens": "all", "scope_root": "yes"}, "at least one thing"),
        *(({"days": days}, "whole number") for days in ("0", "-1", "3651", "1.5", "²", "9" * 400, "x")),
    ],
)
def test_a_choice_that_is_none_makes_no_token(people, owner, fields, why):
    browser = people.signed_in(owner)
    answer = browser.post("/account/tokens", data=fields)
    assert (answer.status_code, why in answer.text) == (400, True)
    assert numbers(account_page(browser), "token") == []


@pytest.mark.parametrize("form", ["/account/sessions/end", "/account/password"])
def test_ending_others_ends_tokens_if_asked_and_leaves_them_else(people, owner, form):
    browser, other = people.signed_in(owner), people.signed_in(owner)
    programs = [made(browser), made(browser, opens="scopes", scope_publish="yes")]
    fields = {"others": "end"} | ({"password": NEW_PASSWORD} if form.endswith("password") else {})
    assert browser.post(form, data=fields).status_code == 303
    assert not is_in(other)
    assert {people.browser().get("/api/me", headers=each).status_code for each in programs} == {200}
    answer = browser.post(form, data=fields | {"tokens": "end"})
    assert answer.status_code == 303
    assert {people.browser().get("/api/me", headers=each).status_code for each in programs} == {401}
    if not form.endswith("password"):
        assert "all tokens are revoked" in browser.get(answer.headers["location"]).text
    assert is_in(browser)


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
