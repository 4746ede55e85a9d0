"""Known browsers: what strangers guess elsewhere keeps nobody out where they have signed in before."""

import re
from datetime import timedelta

import pytest

from bubbles import known_browsers, upkeep
from bubbles.model.account import Device
from tests.http.authenticator import JSON, add, challenge, use
from tests.http.people import NEW_PASSWORD, PASSWORD, enter, leaving

WRONG = "eight lemons walk home"
COOKIE = "bubbles_known"
YEAR = timedelta(days=365)


def known(house, account):
    """The browsers that an account is known in, the latest first."""
    with house.database.transaction() as session:
        return known_browsers.of_account(session, account, now=house.now())


def shut(people, handle):
    """Guesses from one network after another, until nobody unknown gets in."""
    for _ in range(5):
        enter(people.browser(account_attempts_per_hour=5), handle, WRONG)
    assert enter(people.browser(account_attempts_per_hour=5), handle).status_code == 429


# Whom it lets in


def test_who_is_shut_out_everywhere_gets_in_where_they_are_known(people, owner):
    browser = leaving(people.signed_in(owner, account_attempts_per_hour=5))
    shut(people, owner.handle)
    assert enter(browser, owner.handle).status_code == 303


def test_neither_does_a_network_that_others_have_used_up_shut_them_out(people, owner):
    host = "203.0.113.140"
    browser = leaving(people.signed_in(owner, host=host, network_attempts_per_hour=2))
    for handle in ("nobody-a", "nobody-b"):
        enter(people.browser(host, network_attempts_per_hour=2), handle, WRONG)
    assert enter(people.browser(host, network_attempts_per_hour=2), owner.handle).status_code == 429
    assert enter(browser, owner.handle).status_code == 303


@pytest.mark.parametrize("way", ["sign_up", "password", "recovery_code", "link", "passkey"])
def test_a_browser_is_known_however_someone_got_in(people, house, way):
    account, browser = people.account(), people.browser(registration="open")
    if way == "sign_up":
        fields = {"handle": f"{account.handle}-new", "password": NEW_PASSWORD, "terms": "agreed"}
        assert browser.post("/sign-up", data=fields).status_code == 200
    elif way == "password":
        enter(browser, account.handle)
    elif way == "recovery_code":
        enter(browser, account.handle, way=way, code=people.codes(account)[0])
    elif way == "link":
        browser.post(people.link(account))
    else:
        passkey = add(people.signed_in(account))
        use(browser, passkey.signed(challenge(browser)))
    with house.database.transaction() as session:
        assert known_browsers.of_anyone(session, browser.cookies[COOKIE], now=house.now()) is not None


def test_a_known_browser_has_five_wrong_passwords_an_hour(people, owner, clock):
    browser = leaving(people.signed_in(owner))
    assert [enter(browser, owner.handle, WRONG).status_code for _ in range(6)] == [401] * 5 + [429]
    refused = enter(browser, owner.handle)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    assert enter(people.browser(), owner.handle).status_code == 303
    clock.pass_s(3600)
    assert enter(browser, owner.handle).status_code == 303


def test_wrong_passwords_in_a_known_browser_shut_nobody_else_out(people, owner):
    browser = leaving(people.signed_in(owner, account_attempts_per_hour=3, network_attempts_per_hour=3))
    for _ in range(5):
        enter(browser, owner.handle, WRONG)
    stranger = people.browser(account_attempts_per_hour=3, network_attempts_per_hour=3)
    assert enter(stranger, owner.handle).status_code == 303


def test_a_browser_is_known_to_those_alone_who_have_signed_in_with_it(people, owner):
    browser = leaving(people.signed_in(owner, account_attempts_per_hour=5))
    other = people.account()
    shut(people, other.handle)
    assert enter(browser, other.handle).status_code == 429


def test_a_family_is_known_in_one_browser(people, owner, house):
    child, browser = people.account(), people.signed_in(owner, account_attempts_per_hour=5)
    assert enter(leaving(browser), child.handle).status_code == 303
    leaving(browser)
    for each in (owner, child):
        shut(people, each.handle)
        assert enter(browser, each.handle).status_code == 303, each
        assert len(known(house, each)) == 1
        leaving(browser)


def test_a_stranger_with_a_made_up_cookie_is_a_stranger(people, owner):
    shut(people, owner.handle)
    for made_up in ("", "x" * 43, "x" * 4000, "é"):
        browser = people.browser(account_attempts_per_hour=5)
        answer = browser.post(
            "/sign-in",
            data={"handle": owner.handle, "password": WRONG},
            headers={"Cookie": f"{COOKIE}={made_up}".encode()},
        )
        assert answer.status_code == 429


def test_nothing_tells_a_stranger_who_is_known_somewhere(people, owner):
    people.signed_in(owner)
    told = set()
    for handle in (owner.handle, people.account().handle, "nobody-known"):
        for password in (WRONG, WRONG, WRONG):
            answer = enter(people.browser(account_attempts_per_hour=2), handle, password)
            text = re.sub('(name="handle" value=")[^"]*', r"\1", answer.text)
            told.add((answer.status_code, text, answer.headers.get("retry-after"), str(answer.cookies)))
    assert {status for status, *_ in told} == {401, 429}
    assert len(told) == 2


def test_a_network_full_of_challenges_keeps_no_known_browser_from_its_passkey(people, owner):
    host = "203.0.113.141"
    passkey, browser = add(people.signed_in(owner)), leaving(people.signed_in(owner, host=host))
    for _ in range(50):
        challenge(people.browser(host))
    assert people.browser(host).post("/sign-in/passkey/challenge", headers=JSON).status_code == 429
    assert use(browser, passkey.signed(challenge(browser))).status_code == 200


# The cookie


def test_the_cookie_is_for_a_year_and_for_the_server_alone(people, owner):
    browser = people.browser(base_url="https://bubbles.example")
    given = [each for each in enter(browser, owner.handle).headers.get_list("set-cookie") if "known" in each]
    assert len(given) == 1
    told = given[0].lower()
    assert given[0].startswith(f"__Host-{COOKIE}=")
    for part in ("httponly", "samesite=lax", "secure", "path=/;", f"max-age={int(YEAR.total_seconds())}"):
        assert part in told
    assert "domain" not in told


def test_a_cookie_that_someone_else_put_there_is_known_to_nobody_after(people, owner):
    thief = people.signed_in(account_attempts_per_hour=5)
    planted = thief.cookies[COOKIE]
    browser = people.browser(account_attempts_per_hour=5)
    fields = {"handle": owner.handle, "password": PASSWORD}
    assert browser.post("/sign-in", data=fields, headers={"Cookie": f"{COOKIE}={planted}"}).status_code == 303
    assert browser.cookies[COOKIE] != planted
    shut(people, owner.handle)
    assert enter(leaving(thief), owner.handle).status_code == 429


def test_a_year_without_a_sign_in_ends_it_and_each_sign_in_begins_it_anew(people, owner, house, clock):
    browser = leaving(people.signed_in(owner))
    clock.pass_s((YEAR - timedelta(days=1)).total_seconds())
    assert enter(browser, owner.handle).status_code == 303
    clock.pass_s((YEAR - timedelta(seconds=1)).total_seconds())
    assert len(known(house, owner)) == 1
    clock.pass_s(1)
    assert known(house, owner) == []
    upkeep.forget(house.database, now=clock(), idempotency_days=30)
    with house.database.transaction() as session:
        kept = session.connection().exec_driver_sql(
            "SELECT count(*) FROM known_browser WHERE account_id = %s", (owner.id,)
        )
        assert kept.scalar() == 0


def test_an_account_is_known_in_fifty_browsers_at_most(people, owner, house, clock):
    with house.database.transaction() as session:
        for _ in range(51):
            clock.pass_s(1)
            known_browsers.know(session, owner, "", device=Device("Firefox"), now=clock())
    kept = known(house, owner)
    assert len(kept) == 50
    assert min(each.used_at for each in kept) == clock() - timedelta(seconds=49)


def test_what_is_kept_of_it_is_no_cookie(people, owner, house):
    browser = people.signed_in(owner)
    with house.database.transaction() as session:
        kept = session.connection().exec_driver_sql("SELECT known_browser::text FROM known_browser").all()
    assert kept
    assert not any(browser.cookies[COOKIE] in str(row) for row in kept)
