"""A crowd at the door: passwords take a core each, and nothing else waits for them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from bubbles.errors import Code, Refused
from bubbles.http import lane
from bubbles.model import password as passwords
from tests.http.people import PASSWORD, enter, leaving
from tests.http.wire import until

PATIENCE_S = 60


async def _crowd(size: int) -> tuple[int, list[Refused]]:
    """How many of so many at once are let work, and what the others are told."""
    hashing, ended = lane.Hashing(), Event()
    waiting = [asyncio.ensure_future(hashing.run(ended.wait, {})) for _ in range(size)]
    await asyncio.sleep(0)  # each has asked for a place
    refused = [each.exception() for each in waiting if each.done()]
    ended.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await hashing.run(lambda: True, {})  # the places are free again
    return size - len(refused), [each for each in refused if isinstance(each, Refused)]


def test_who_comes_after_twenty_that_wait_is_told_to_come_again() -> None:
    let_in, refused = asyncio.run(_crowd(lane.CORES + 25))
    assert let_in == lane.CORES + lane.HASHES_WAITING_MAX
    assert [(each.code, each.retry_after_s) for each in refused] == [(Code.UNAVAILABLE, 5)] * 5


def test_a_full_door_is_told_and_is_no_attempt(people):
    account, host = people.account(), "203.0.113.40"
    browser = people.browser(host, network_attempts_per_hour=1)
    hashing, ended = browser.app.state.hashing, Event()
    full = [hashing._threads.submit(ended.wait) for _ in range(lane.CORES)]
    hashing._taken[lane.EVERYBODY] = lane.CORES + lane.HASHES_WAITING_MAX
    try:
        refused = enter(browser, account.handle)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert browser.get("/sign-in").status_code == 200
    finally:
        ended.set()  # else the threads would keep the interpreter from leaving
        hashing._taken.clear()
    assert all(each.result() for each in full)
    assert enter(browser, account.handle, PASSWORD).status_code == 303


@pytest.fixture
def slow(monkeypatch):
    """Passwords are compared once the test says so."""
    ended, matches = Event(), passwords.matches

    def compared(kept: str, password: str) -> bool:
        assert ended.wait(4 * PATIENCE_S)
        return matches(kept, password)

    monkeypatch.setattr(passwords, "matches", compared)
    yield ended
    ended.set()


@contextmanager
def at_once(slow, size):
    """Threads for so many who come at once; whatever the test finds, nobody waits for long after it."""
    with ThreadPoolExecutor(size) as pool:
        try:
            yield pool
        finally:
            slow.set()


def test_right_passwords_of_three_accounts_leave_places_for_others(people, slow):
    accounts, somebody = [people.account() for _ in range(3)], people.account()
    attempts = [(people.browser(f"192.0.{number}.1"), each) for number in range(8) for each in accounts]
    hashing = people.browser().app.state.hashing
    with at_once(slow, len(attempts) + 1) as pool:
        crowd = [pool.submit(enter, browser, account.handle) for browser, account in attempts]
        until(lambda: sum(each.done() for each in crowd) == len(crowd) - 6)
        assert hashing._taken[lane.EVERYBODY] == 6
        other = pool.submit(enter, people.browser(), somebody.handle)
        until(lambda: hashing._taken[lane.EVERYBODY] == 7)
        slow.set()
        answers = [each.result() for each in crowd]
        assert other.result().status_code == 303
    refused = [each for each in answers if each.status_code == 429]
    assert sorted(each.status_code for each in answers) == [303] * 6 + [429] * 18
    assert {each.headers["retry-after"] for each in refused} == {str(lane.HASHES_RETRY_S)}
    assert not hashing._taken


def test_one_network_leaves_places_for_others_whatever_accounts_it_asks_for(people, slow):
    hosts = [f"2001:db8:5c:{number:x}::1" for number in range(10)]
    attempts = [(people.browser(host), f"nobody-{number}") for number, host in enumerate(hosts)]
    hashing = people.browser().app.state.hashing
    with at_once(slow, len(attempts)) as pool:
        crowd = [pool.submit(enter, browser, handle) for browser, handle in attempts]
        until(lambda: sum(each.done() for each in crowd) == 4)
        assert hashing._taken[lane.EVERYBODY] == 6
        slow.set()
    assert sorted(each.result().status_code for each in crowd) == [401] * 6 + [429] * 4


def test_who_is_known_does_not_wait_behind_strangers_at_their_account(people, owner, slow):
    slow.set()
    browser = leaving(people.signed_in(owner))
    slow.clear()
    hashing = browser.app.state.hashing
    with at_once(slow, 3) as pool:
        strangers = [pool.submit(enter, people.browser(), owner.handle) for _ in range(2)]
        until(lambda: hashing._taken[lane.EVERYBODY] == 2)
        assert enter(people.browser(), owner.handle).status_code == 429
        known = pool.submit(enter, browser, owner.handle)
        until(lambda: hashing._taken[lane.EVERYBODY] == 3)
        slow.set()
        assert [each.result().status_code for each in (*strangers, known)] == [303] * 3


def test_who_was_told_that_attempts_are_under_way_has_made_none(people, owner, slow):
    settings = {"sign_in_attempts_per_hour": 3, "account_attempts_per_hour": 3}
    hashing = people.browser(**settings).app.state.hashing
    with at_once(slow, 2) as pool:
        wrong = [pool.submit(enter, people.browser(**settings), owner.handle, "wrong one") for _ in range(2)]
        until(lambda: hashing._taken[lane.EVERYBODY] == 2)
        assert enter(people.browser(**settings), owner.handle).status_code == 429
        slow.set()
    assert [each.result().status_code for each in wrong] == [401, 401]
    assert enter(people.browser(**settings), owner.handle).status_code == 303
