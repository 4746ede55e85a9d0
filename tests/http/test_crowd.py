"""A crowd at the door: passwords take a core each, and nothing else waits for them."""

import asyncio
from threading import Event

from bubbles.errors import Code, Refused
from bubbles.http import lane
from tests.http.people import PASSWORD, enter


async def _crowd(size: int) -> tuple[int, list[Refused]]:
    """How many of so many at once are let work, and what the others are told."""
    hashing, ended = lane.Hashing(), Event()
    waiting = [asyncio.ensure_future(hashing.run(ended.wait)) for _ in range(size)]
    await asyncio.sleep(0)  # each has asked for a place
    refused = [each.exception() for each in waiting if each.done()]
    ended.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await hashing.run(lambda: True)  # the places are free again
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
    places = [hashing._places.acquire(blocking=False) for _ in range(lane.CORES + lane.HASHES_WAITING_MAX)]
    try:
        refused = enter(browser, account.handle)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert browser.get("/sign-in").status_code == 200
    finally:
        ended.set()  # else the threads would keep the interpreter from leaving
        for _ in places:
            hashing._places.release()
    assert all(each.result() for each in full)
    assert enter(browser, account.handle, PASSWORD).status_code == 303
