"""How often one may try to get in, and what is kept of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from bubbles import upkeep
from bubbles.model import password as passwords
from tests.http.authenticator import add, challenge, use
from tests.http.people import AGES_S, NEW_PASSWORD, PASSWORD, enter

WRONG = "eight lemons walk home"
HOST = "203.0.113.9"


def test_ten_wrong_passwords_an_hour_shut_the_account_from_their_network_alone(people, clock):
    account = people.account()
    for _ in range(10):
        assert enter(people.browser(HOST), account.handle, WRONG).status_code == 401
    clock.pass_s(600)
    assert enter(people.browser(), account.handle).status_code == 303
    refused = enter(people.browser(HOST), account.handle)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "3000"
    assert "50 minutes" in refused.text
    clock.pass_s(int(refused.headers["retry-after"]))
    assert enter(people.browser(HOST), account.handle).status_code == 303


def test_a_handle_that_nobody_has_is_bounded_alike(people):
    answers = [enter(people.browser(HOST), "nobody-there", WRONG).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]


@pytest.mark.parametrize("is_known", [True, False])
def test_from_all_networks_together_an_account_bears_more_but_not_all(people, is_known):
    handle = people.account().handle if is_known else "nobody-anywhere"
    answers = [enter(people.browser(account_attempts_per_hour=12), handle, WRONG).status_code for _ in range(13)]
    assert answers == [401] * 12 + [429]


def test_what_is_in_order_is_not_counted(people):
    account = people.account()
    for _ in range(12):
        assert enter(people.browser(), account.handle).status_code == 303
    browser = people.browser(network_attempts_per_hour=2)
    assert [enter(browser, account.handle).status_code for _ in range(4)] == [303] * 4


def test_being_shut_out_is_not_made_longer_by_trying(people, clock):
    account = people.account()
    for _ in range(10):
        enter(people.browser(HOST), account.handle, WRONG)
    clock.pass_s(3590)
    assert enter(people.browser(HOST), account.handle, WRONG).status_code == 429
    clock.pass_s(20)
    assert enter(people.browser(HOST), account.handle).status_code == 303


def test_a_network_may_fail_fifty_times_an_hour_at_whatever_accounts(people):
    host = "203.0.113.7"
    for number in range(50):
        assert enter(people.browser(host), f"guess{number}", WRONG, way="recovery_code").status_code == 401
    account = people.account()
    assert enter(people.browser(host), account.handle).status_code == 429
    assert enter(people.browser("203.0.113.8"), account.handle).status_code == 303


def test_a_household_is_one_network(people):
    account = people.account()
    one, other, next_door = "2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"
    assert enter(people.browser(one, network_attempts_per_hour=1), "nobody-x", WRONG).status_code == 401
    assert enter(people.browser(other, network_attempts_per_hour=1), account.handle).status_code == 429
    assert enter(people.browser(next_door, network_attempts_per_hour=1), account.handle).status_code == 303


def test_a_customer_with_many_households_is_bounded_as_well(people):
    account = people.account()
    hosts = [f"2001:db8:77:{number:x}::1" for number in range(6)]
    answers = [
        enter(people.browser(host, network_attempts_per_hour=1), "nobody-y", WRONG).status_code for host in hosts
    ]
    assert answers == [401] * 5 + [429]
    elsewhere = people.browser("2001:db8:78::1", network_attempts_per_hour=1)
    assert enter(elsewhere, account.handle).status_code == 303


def test_a_right_code_and_a_right_passkey_let_in_where_the_network_is_shut(people):
    account = people.account()
    passkey, (code, *_) = add(people.signed_in(account)), people.codes(account)
    browser = people.browser(network_attempts_per_hour=1)
    assert [enter(browser, "nobody-z", WRONG).status_code for _ in range(2)] == [401, 429]
    assert enter(browser, account.handle, way="recovery_code", code="0000-0000").status_code == 429
    assert enter(browser, account.handle, way="recovery_code", code=code).status_code == 303
    browser.cookies.clear()
    assert use(browser, passkey.signed(challenge(browser))).status_code == 200


def test_midnight_lets_nobody_begin_anew(people, clock):
    clock.pass_s(2 * 3600 - 60)  # one minute to midnight
    account = people.account()
    for _ in range(10):
        enter(people.browser(HOST), account.handle, WRONG)
    clock.pass_s(120)
    assert enter(people.browser(HOST), account.handle).status_code == 429


def test_many_at_once_gain_nothing(people):
    account = people.account()
    browsers = [people.browser(HOST) for _ in range(16)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda browser: enter(browser, account.handle, WRONG).status_code, browsers))
    while answers[-1] != 429 or answers.count(401) < 10:  # those that were too many at once were none
        answers.append(enter(people.browser(HOST), account.handle, WRONG).status_code)
        assert len(answers) < 40
    assert set(answers) == {401, 429}
    assert answers.count(401) == 10


# Networks that hold many


WIDE = [
    ([f"2001:db8:90:{number:x}::1" for number in range(12)], 4),
    ([f"2001:db8:{number:x}::1" for number in range(0xA0, 0xAC)], 8),
    ([f"203.0.114.{number}" for number in range(12)], 4),
]


@pytest.mark.parametrize(("hosts", "borne"), WIDE)
def test_who_holds_many_networks_shuts_an_account_for_themselves_alone(people, hosts, borne):
    account, settings = people.account(), {"sign_in_attempts_per_hour": 2, "account_attempts_per_hour": 10}
    wrong = [enter(people.browser(host, **settings), account.handle, WRONG).status_code for host in hosts]
    assert wrong == [401] * borne + [429] * (len(wrong) - borne)
    assert enter(people.browser(hosts[-1], **settings), account.handle).status_code == 429
    assert enter(people.browser(**settings), account.handle).status_code == 303


# Right passwords


def test_so_many_right_passwords_an_hour_are_compared(people, clock, monkeypatch):
    account = people.account()
    browser = people.signed_in(account, sign_ins_per_hour=3)
    for _ in range(2):
        assert enter(people.browser(sign_ins_per_hour=3), account.handle).status_code == 303
    compared = []
    monkeypatch.setattr(passwords, "matches", lambda kept, password: compared.append(kept) or True)
    for each in (people.browser(sign_ins_per_hour=3), browser):
        refused = enter(each, account.handle)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "3600")
    assert compared == []
    (code, *_) = people.codes(account)
    assert enter(people.browser(sign_ins_per_hour=3), account.handle, way="recovery_code", code=code).status_code == 303
    clock.pass_s(3600)
    assert enter(browser, account.handle).status_code == 303


def test_wrong_passwords_are_no_right_ones_and_right_ones_no_wrong_ones(people):
    settings = {"sign_ins_per_hour": 3, "sign_in_attempts_per_hour": 4, "account_attempts_per_hour": 4}
    account, host = people.account(), "203.0.113.61"
    for password, status in ((WRONG, 401), (PASSWORD, 303), (WRONG, 401), (PASSWORD, 303), (WRONG, 401)):
        assert enter(people.browser(host, **settings), account.handle, password).status_code == status
    assert enter(people.browser(host, **settings), account.handle).status_code == 303
    assert enter(people.browser(host, **settings), account.handle).status_code == 429


def test_present_passwords_and_new_ones_are_bounded_alike(people, clock):
    account = people.account()
    browser = people.signed_in(account, sign_ins_per_hour=3)
    passes = [browser.post("/account/password", data={"password": NEW_PASSWORD}) for _ in range(4)]
    assert [answer.headers.get("location", answer.status_code) for answer in passes] == [
        *["/account?done=password#password"] * 3,
        429,
    ]
    clock.pass_s(max(AGES_S, 3600))
    page = [browser.post("/account/recovery-codes", data={"present": NEW_PASSWORD}).status_code for _ in range(4)]
    assert page == [200, 200, 200, 429]


def test_neither_handle_nor_address_is_kept_of_an_attempt(people, house):
    enter(people.browser("192.0.2.77"), "my-secret-handle", WRONG)
    with house.database.transaction() as session:
        kept = session.connection().exec_driver_sql("SELECT attempt.*, attempt::text FROM attempt").all()
    assert kept
    assert not any("192.0.2.77" in str(row) or b"my-secret-handle" in row[1] for row in kept)


def test_upkeep_forgets_attempts_and_where_ended_sessions_were(people, house, clock):
    account = people.account()
    browser = people.signed_in(account)
    enter(people.browser(), account.handle, WRONG)
    browser.post("/sign-out")
    clock.pass_s(3 * 3600)
    upkeep.forget(house.database, now=clock(), idempotency_days=30)
    with house.database.transaction() as session:
        run = session.connection().exec_driver_sql
        assert run("SELECT count(*) FROM attempt WHERE tried_at < %s", (clock() - timedelta(hours=2),)).scalar() == 0
        assert run("SELECT browser FROM web_session WHERE account_id = %s", (account.id,)).scalar() == ""
