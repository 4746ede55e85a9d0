"""Signing up: who may, what is asked for, and what one has afterwards."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bubbles.db import accounts as rows
from bubbles.model import password as passwords
from bubbles.model.password import Weakness, weakness
from tests.http.hostile import parsed
from tests.http.people import PASSWORD, codes_of, enter, is_in

AGREED = {"password": PASSWORD, "terms": "agreed"}


@pytest.fixture
def cheap(monkeypatch):
    """Passwords that cost nothing to keep."""
    monkeypatch.setattr(passwords, "hashed", lambda password: "kept")


def sign_up(browser, handle, **fields):
    return browser.post("/sign-up", data=AGREED | {"handle": handle} | fields)


def account_of(house, handle):
    with house.database.transaction() as session:
        return rows.by_handle(session, handle)


# Who may


def test_anyone_may_where_it_is_open(people, house):
    browser = people.browser(registration="open")
    answer = sign_up(browser, "@Ada-1", next="//evil.example")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    account = account_of(house, "ada-1")
    assert account.terms_agreed_at == account.created_at == house.now()
    assert is_in(browser)
    assert browser.get("/@ada-1").status_code == 200
    assert enter(people.browser(), "ada-1").status_code == 303


def test_an_invitation_lets_in_one(people, house):
    code = people.invitation()
    browser = people.browser(registration="invite")
    assert f'value="{code}"' in browser.get(f"/sign-up?invitation={code}").text
    assert sign_up(browser, "first", invitation=f" {code.upper().replace('-', '')} ").status_code == 200
    second = sign_up(people.browser(registration="invite"), "second", invitation=code)
    assert second.status_code == 403
    assert "unknown, used or expired" in second.text
    assert account_of(house, "second") is None


def test_an_invitation_used_twice_at_once_lets_in_one(people):
    code = people.invitation()
    browsers = [people.browser(registration="invite") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(sign_up, each, f"race{n}", invitation=code) for n, each in enumerate(browsers)]
    assert sorted(each.result().status_code for each in tries) == [200, 403, 403, 403]


@pytest.mark.parametrize(("typed", "status"), [("", 422), ("   ", 422), ("zzzz-zzzz-zzzz-zzzz", 403), ("é" * 64, 403)])
def test_without_an_invitation_nobody_gets_in(people, house, cheap, typed, status):
    assert sign_up(people.browser(registration="invite"), "uninvited", invitation=typed).status_code == status
    assert account_of(house, "uninvited") is None


def test_an_invitation_expires(people, clock, cheap):
    code = people.invitation()
    clock.pass_s(24 * 3600)
    assert sign_up(people.browser(registration="invite"), "too-late", invitation=code).status_code == 403


def test_a_refused_handle_leaves_the_invitation_good(people, cheap):
    code, taken = people.invitation(), people.account().handle
    browser = people.browser(registration="invite")
    assert sign_up(browser, taken, invitation=code).status_code == 409
    assert sign_up(browser, "not-taken", invitation=code).status_code == 200


def test_nobody_may_where_it_is_closed(people, house):
    browser, code = people.browser(registration="closed"), people.invitation()
    page = browser.get(f"/sign-up?invitation={code}")
    assert "Nobody can sign up" in page.text
    assert not [action for action in parsed(page.text).all("form", "action") if action == "/sign-up"]
    assert sign_up(browser, "sneaky", invitation=code).status_code == 403
    assert account_of(house, "sneaky") is None


# What is asked for


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"handle": "no spaces"}, "A handle has 1 to 30"),
        ({"handle": ""}, "A handle has 1 to 30"),
        ({"handle": "a" * 31}, "A handle has 1 to 30"),
        ({"handle": "x\x00y"}, "A handle has 1 to 30"),
        ({"password": "too short"}, "too short"),
        ({"password": "a1b2c3d4" * 129}, "too long"),
        ({"password": "password1234"}, "first that are guessed"),
        ({"password": "Right_Here!!"}, "That is your handle"),
        ({"terms": ""}, "agreement"),
    ],
)
def test_what_will_not_do_is_told_beside_its_field(people, house, fields, told):
    browser = people.browser(registration="open")
    answer = sign_up(browser, **({"handle": "right_here"} | fields))
    assert answer.status_code == 422
    assert told in answer.text
    assert "set-cookie" not in answer.headers
    assert account_of(house, "right_here") is None


def test_everything_that_is_wrong_is_told_at_once_and_no_password_comes_back(people):
    answer = people.browser(registration="open").post("/sign-up", data={"handle": "ünï", "password": "secret-ish"})
    page = parsed(answer.text)
    assert page.all("input", "aria-invalid").count("true") >= 2
    assert 'value="ünï"' in answer.text
    assert "secret-ish" not in answer.text


def test_a_handle_that_is_taken_is_told_whoever_took_it_and_even_at_once(people, world, cheap):
    channel, _ = world.channel()
    for taken in (people.account().handle, channel.handle):
        answer = sign_up(people.browser(registration="open"), taken)
        assert answer.status_code == 409
        assert "This handle is taken" in answer.text
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(sign_up, people.browser(registration="open"), "everyones") for _ in range(4)]
    assert sorted(each.result().status_code for each in tries) == [200, 409, 409, 409]


def test_the_form_says_what_it_takes(people):
    text = people.browser(registration="open").get("/sign-up").text
    for needed in ('autocomplete="username"', 'autocomplete="new-password"', 'minlength="10"', 'href="/terms"'):
        assert needed in text


def test_one_network_makes_ten_accounts_an_hour(people, clock, cheap):
    host = "203.0.113.99"
    answers = [sign_up(people.browser(host, registration="open"), f"many{n}").status_code for n in range(11)]
    assert answers == [200] * 10 + [429]
    refused = sign_up(people.browser(host, registration="open"), "many11")
    assert refused.headers["retry-after"] == "3600"
    assert "60 minutes" in refused.text
    assert sign_up(people.browser(registration="open"), "many12").status_code == 200
    clock.pass_s(3600)
    assert sign_up(people.browser(host, registration="open"), "many13").status_code == 200


def test_guessed_invitations_count_too(people, cheap):
    def guess(n):
        browser = people.browser("203.0.113.98", registration="invite", sign_ups_per_hour=3)
        return sign_up(browser, f"guess-{n}", invitation=f"{n:016}").status_code

    assert [guess(n) for n in range(4)] == [403, 403, 403, 429]


# What one has


def test_ten_recovery_codes_are_shown_once_and_each_lets_in(people):
    browser = people.browser(registration="open")
    page = sign_up(browser, "codes")
    codes = codes_of(page)
    assert len(set(codes)) == 10
    assert not any(code in browser.get("/account").text for code in codes)
    assert enter(people.browser(), "codes", way="recovery_code", code=codes[9]).status_code == 303


def test_no_secret_is_kept_as_it_is(people, house):
    codes = codes_of(sign_up(people.browser(registration="open"), "secrets"))
    with house.database.transaction() as session:
        run = session.connection().exec_driver_sql
        (kept,) = run("SELECT hash FROM password JOIN account ON id = account_id WHERE handle = 'secrets'").scalars()
        hashes = set(run("SELECT secret_hash FROM recovery_code").scalars())
    assert kept.startswith("$argon2id$")
    assert not hashes & {*codes, *(code.replace("-", "") for code in codes)}


def test_who_has_an_account_goes_on_to_it(people):
    assert people.signed_in(registration="open").get("/sign-up").headers["location"] == "/account"


# Which passwords


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short pass", None),
        ("short pas", Weakness.SHORT),
        ("ナイチンゲールの声だけ", None),
        ("four words and more", None),
        ("83019 47265 1", None),
        ("!?#%&/()=+-*", None),
        ("aaaaaaaaaaaa", Weakness.COMMON),
        ("1212121212", Weakness.COMMON),
        ("1234567890", Weakness.COMMON),
        ("0987654321", Weakness.COMMON),
        ("QwertyUiop", Weakness.COMMON),
        ("azertyuiop", Weakness.COMMON),
        ("Password!2026", Weakness.COMMON),
        ("motdepasse1", Weakness.COMMON),
        ("__marie-claire__", Weakness.HANDLE),
        ("marie-claire", Weakness.HANDLE),
        ("marie-claire's lemons", None),
        ("x" * 1025, Weakness.LONG),
    ],
)
def test_a_password_will_do_or_not(password, why):
    assert weakness(password, handle="marie-claire") is why


def test_a_handle_of_digits_forbids_no_other_digits():
    assert weakness("8301947265", handle="1234") is None


def test_the_same_keys_are_the_same_password_on_every_system():
    kept = passwords.hashed("cafe\u0301 des amis")
    assert passwords.matches(kept, "caf\u00e9 des amis")
    assert not passwords.matches(kept, "cafe des amis")
