"""Passkeys, with an authenticator in software: added, used, copied, replayed, forged."""

import copy
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy.exc import OperationalError
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from bubbles import accounts
from bubbles.db import passkeys as rows
from tests.http.authenticator import JSON, PRESENT, Passkey, add, challenge, kept, use
from tests.http.people import AGES_S, is_in


@pytest.fixture
def owner(people):
    """Who has a passkey, and the passkey."""
    account = people.account()
    return account, add(people.signed_in(account))


# What works


def test_a_passkey_lets_in_without_a_handle(people, house, owner):
    account, passkey = owner
    browser = people.browser()
    answer = use(browser, passkey.signed(challenge(browser)))
    assert answer.json() == {"next": "/studio"}
    assert is_in(browser)
    (row,) = kept(house, account)
    assert (row.name, row.sign_count, row.last_used_at) == ("Blue key", 1, house.now())


def test_a_challenge_asks_for_consent_and_names_nobody(people, owner):
    options = challenge(people.browser())
    assert (options["rpId"], options["userVerification"], options.get("allowCredentials", [])) == (
        "localhost", "required", [],
    )  # fmt: skip
    account, passkey = owner
    making = challenge(people.signed_in(account), "/account/passkeys/challenge")
    assert making["authenticatorSelection"]["residentKey"] == "required"
    assert [each["id"] for each in making["excludeCredentials"]] == [bytes_to_base64url(passkey.id)]
    assert making["user"]["name"] == account.handle


def test_with_a_handle_only_its_own_passkey_lets_in(people, owner):
    account, passkey = owner
    browser, other = people.browser(), people.account()
    assert use(browser, passkey.signed(challenge(browser)), handle=other.handle).status_code == 401
    assert not is_in(browser)
    assert use(browser, passkey.signed(challenge(browser)), handle=f"@{account.handle.upper()}").status_code == 200


@pytest.mark.parametrize(("wanted", "led_to"), [("/account", "/account"), ("//evil.example", None), ("/\\e", None)])
def test_it_leads_to_pages_of_ours_alone(people, owner, wanted, led_to):
    _, passkey = owner
    browser = people.browser()
    answer = use(browser, passkey.signed(challenge(browser)), next=wanted)
    assert answer.json() == {"next": led_to or "/studio"}


def test_a_device_that_keeps_no_count_may_come_again(people):
    account = people.account()
    passkey = add(people.signed_in(account), Passkey(counts=False))
    for _ in range(2):
        browser = people.browser()
        assert use(browser, passkey.signed(challenge(browser))).status_code == 200


def test_it_lets_in_where_guesses_shut_the_password_out(people, owner):
    account, passkey = owner
    for _ in range(11):
        people.browser().post("/sign-in", data={"handle": account.handle, "password": "wrong wrong wrong"})
    browser = people.browser()
    assert use(browser, passkey.signed(challenge(browser))).status_code == 200


# What does not


def test_a_copy_is_found_out_by_its_count(people, owner):
    _, passkey = owner
    passkey.sign_count = 7
    stolen = copy.copy(passkey)
    browser = people.browser()
    assert use(browser, passkey.signed(challenge(browser))).status_code == 200
    thief = people.browser()
    answer = use(thief, stolen.signed(challenge(thief)))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised")
    assert not is_in(thief)


def test_an_answer_is_taken_once(people, owner):
    browser, other = people.browser(), people.browser()
    answer = owner[1].signed(challenge(browser))
    assert use(browser, answer).status_code == 200
    assert (use(other, answer).status_code, is_in(other)) == (400, False)


def test_an_answer_used_twice_at_once_lets_in_once(people, owner):
    answer = owner[1].signed(challenge(people.browser()))
    with ThreadPoolExecutor(4) as pool:
        tries = [pool.submit(use, people.browser(), answer) for _ in range(4)]
    assert sorted(each.result().status_code for each in tries) == [200, 400, 400, 400]


def test_a_wrong_answer_uses_its_challenge_up_too(people, owner):
    browser = people.browser()
    options = challenge(browser)
    assert use(browser, Passkey().signed(options)).status_code == 401
    assert use(browser, owner[1].signed(options)).status_code == 400


def test_a_challenge_is_good_for_five_minutes(people, owner, clock):
    browser = people.browser()
    late, in_time = challenge(browser), None
    clock.pass_s(299)
    assert use(browser, owner[1].signed(late)).status_code == 200
    in_time = challenge(browser)
    clock.pass_s(300)
    assert use(people.browser(), owner[1].signed(in_time)).status_code == 400


def test_a_challenge_of_ones_own_making_is_none(people, owner):
    assert use(people.browser(), owner[1].signed({"challenge": bytes_to_base64url(b"x" * 43)})).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8001"},
        {"host": "evil.example"},
        {"flags": PRESENT},
        {"flags": 0},
    ],
    ids=["another site", "another port", "another host", "without consent", "nobody there"],
)
def test_a_passkey_of_elsewhere_or_without_consent_lets_nobody_in(people, owner, wrong):
    _, passkey = owner
    browser = people.browser()
    for name, value in wrong.items():
        setattr(passkey, name, value)
    assert use(browser, passkey.signed(challenge(browser))).status_code == 401
    assert not is_in(browser)
    adding = people.signed_in()
    made = Passkey(**wrong).made(challenge(adding, "/account/passkeys/challenge"))
    assert adding.post("/account/passkeys", json={"credential": made}, headers=JSON).status_code == 400


def test_a_forged_signature_lets_nobody_in(people, owner):
    _, passkey = owner
    browser = people.browser()
    forged = copy.copy(passkey)
    forged.key = Passkey().key
    assert use(browser, forged.signed(challenge(browser))).status_code == 401
    answer = passkey.signed(challenge(browser))
    signature = bytearray(base64url_to_bytes(answer["response"]["signature"]))
    signature[-1] ^= 1
    answer["response"]["signature"] = bytes_to_base64url(bytes(signature))
    assert use(browser, answer).status_code == 401


def test_a_challenge_to_add_does_not_sign_in_nor_add_for_another(people, owner):
    account, passkey = owner
    adding, other = people.signed_in(account), people.signed_in()
    assert use(people.browser(), passkey.signed(challenge(adding, "/account/passkeys/challenge"))).status_code == 400
    made = Passkey().made(challenge(adding, "/account/passkeys/challenge"))
    assert other.post("/account/passkeys", json={"credential": made}, headers=JSON).status_code == 400
    made = Passkey().made(challenge(people.browser()))
    assert adding.post("/account/passkeys", json={"credential": made}, headers=JSON).status_code == 400


BROKEN = [
    {},
    {"id": 1},
    {"response": None},
    {"response": {"clientDataJSON": "!"}},
    {"response": {"clientDataJSON": "e30"}},
    {"response": {"clientDataJSON": bytes_to_base64url(b'{"type":"webauthn.get","challenge":"\xff","origin":""}')}},
    {"response": {"clientDataJSON": bytes_to_base64url(b'{"type":"webauthn.get","challenge":7,"origin":""}')}},
]


@pytest.mark.parametrize("credential", BROKEN)
def test_what_is_no_answer_is_refused_and_nothing_breaks(people, credential):
    browser = people.signed_in()
    for path in ("/sign-in/passkey", "/account/passkeys"):
        assert browser.post(path, json={"credential": credential}, headers=JSON).status_code == 400
    for body in ({}, {"credential": 1}, {"credential": {}, "more": 1}, []):
        assert browser.post("/sign-in/passkey", json=body, headers=JSON).status_code == 400


@pytest.mark.parametrize("part", ["authenticatorData", "signature", "clientDataJSON"])
def test_half_an_answer_is_refused_and_nothing_breaks(people, owner, part):
    browser = people.browser()
    for cut in (0, 1, 20):
        answer = owner[1].signed(challenge(browser))
        answer["response"][part] = answer["response"][part][:cut]
        assert use(browser, answer).status_code in {400, 401}
    answer = owner[1].signed(challenge(browser))
    del answer["response"][part]
    assert use(browser, answer).status_code in {400, 401}


def test_a_closed_account_has_no_passkey(people, house, owner):
    account, passkey = owner
    with house.database.transaction() as session:
        accounts.close(session, accounts.require(session, account.handle), now=house.now())
    browser = people.browser()
    assert use(browser, passkey.signed(challenge(browser))).status_code == 401


def test_a_passkey_is_one_accounts(people, owner):
    other = people.signed_in()
    made = owner[1].made(challenge(other, "/account/passkeys/challenge"))
    answer = other.post("/account/passkeys", json={"credential": made}, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_strangers_and_tokens_add_none(people, world):
    _, token = world.channel()
    for headers in (JSON, JSON | token):
        browser = people.browser()
        assert browser.post("/account/passkeys/challenge", json={}, headers=headers).status_code == 401
        assert browser.post("/account/passkeys", json={"credential": {}}, headers=headers).status_code == 401


def test_half_a_letter_is_no_password_and_counts_as_no_attempt(people, owner, clock):
    browser = people.signed_in(owner[0])
    clock.pass_s(AGES_S)
    answer = browser.post("/account/passkeys/challenge", content=b'{"present": "\\ud800"}', headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_database_that_is_away_is_not_told_as_a_wrong_passkey(people, owner, monkeypatch):
    def away(*_):
        raise OperationalError("SELECT", {}, psycopg.OperationalError("the connection is lost"))

    monkeypatch.setattr(rows, "by_credential", away)
    browser = people.browser()
    assert use(browser, owner[1].signed(challenge(browser))).status_code == 503


def test_a_network_holds_fifty_open_challenges(people, clock):
    browser = people.browser()
    for _ in range(50):
        challenge(browser)
    refused = browser.post("/sign-in/passkey/challenge", headers=JSON)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "300")
    challenge(people.browser())
    clock.pass_s(301)
    challenge(browser)


def test_wrong_passkeys_count_against_their_network(people):
    browser = people.browser(network_attempts_per_hour=2)
    answers = [use(browser, Passkey().signed(challenge(browser))).status_code for _ in range(3)]
    assert answers == [401, 401, 429]


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://[::1]:8000", "https://192.0.2.1"])
def test_at_a_numeric_address_there_are_none(people, address):
    browser = people.browser(base_url=address)
    assert browser.post("/sign-in/passkey/challenge", headers=JSON).status_code == 400
    assert "data-passkey" not in browser.get("/sign-in").text
    assert "numeric address" in people.signed_in(base_url=address.replace("https", "http")).get("/account").text
