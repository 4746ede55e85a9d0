"""What is on air: it plays through once asked, and what comes new disturbs nobody."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.spoken import recorded
from tests.browser.stage import AUTHOR
from tests.browser.visitor import DESKTOP, Visitor

PLAYING = "[...document.querySelectorAll('[data-list] bubble-player')].findIndex(({ playing }) => playing)"
COUNT = "document.querySelectorAll('[data-list] > *').length"
LOOKS = "document.dispatchEvent(new Event('visibilitychange'))"
"""As when someone comes back to the page."""


def home(visitor: Visitor) -> Visitor:
    visitor.page.goto("/")
    visitor.page.locator("bubble-player[enhanced]").first.wait_for()
    return visitor


def test_nothing_plays_until_it_is_asked_and_then_one_after_another(visit, stage):
    visitor = home(visit(kind=DESKTOP))
    assert visitor.requested("/media/") == []
    visitor.page.get_by_role("button", name="Listen to all").click()
    visitor.until(f"{PLAYING} === 0")
    visitor.page.evaluate("document.querySelector('[data-list] bubble-player').moveTo(9999)")
    visitor.until(f"{PLAYING} === 1")
    visitor.page.locator("[data-list] .play").nth(1).click()
    visitor.page.get_by_role("button", name="Listen to all", pressed=False).wait_for()
    assert visitor.page.evaluate(PLAYING) == -1


@pytest.fixture
def fresh(stage, tmp_path):
    """Puts another bubble on the air, for the time of the test."""
    made = []

    def published() -> str:
        code = stage.publish(recorded(tmp_path, 0), stage.token(AUTHOR), title="Just said")["code"]
        made.append(code)
        stage.ready(code)
        return code

    yield published
    for code in made:
        stage.command("withdraw", code, "--reason", "the test is over")


def test_what_is_new_stands_at_the_top_where_it_disturbs_nobody(visit, fresh):
    visitor = home(visit())
    before = visitor.page.evaluate(COUNT)
    code = fresh()
    visitor.page.evaluate(LOOKS)
    visitor.until(f"document.querySelector('[data-list] > *').dataset.code === '{code}'")
    assert visitor.page.evaluate(COUNT) == before + 1
    with visitor.page.expect_response(re.compile(f"/on-air.after={code}")) as looked:
        visitor.page.evaluate(LOOKS)
    assert looked.value.finished() is None
    visitor.page.evaluate("new Promise(requestAnimationFrame)")
    assert visitor.page.evaluate(COUNT) == before + 1


def test_the_first_bubble_ends_the_quiet_of_an_open_page(visit, stage, quiet):
    with stage.service.client() as client:
        cards = client.get("/on-air").text
    visitor = visit(origin=quiet.origin, kind=DESKTOP)
    page = visitor.page
    page.route("**/on-air?*", lambda route: route.fulfill(body=cards, content_type="text/html"))
    page.goto("/")
    expect(page.get_by_role("heading", name="Off air")).to_be_visible()
    listen = page.get_by_role("button", name="Listen to all")
    expect(listen).to_be_hidden()
    page.evaluate(LOOKS)
    expect(page.get_by_role("heading", name="On air")).to_be_visible()
    expect(listen).to_be_visible()
    expect(page.locator(".empty")).to_have_count(0)
    assert page.evaluate(COUNT) == 3


def test_who_listens_is_told_and_goes_on_listening(visit, fresh):
    visitor = home(visit(locale="fr"))
    before = visitor.page.evaluate(COUNT)
    visitor.page.locator("[data-list] .play").first.click()
    visitor.until(f"{PLAYING} === 0")
    visitor.page.evaluate("document.querySelector('[data-list] audio').loop = true")
    code = fresh()
    visitor.page.evaluate(LOOKS)
    news = visitor.page.get_by_role("status").get_by_role("button", name="1 nouvelle bulle")
    news.wait_for()
    assert visitor.page.evaluate(COUNT) == before
    assert visitor.page.evaluate("document.activeElement.className") == "play"
    news.click()
    visitor.until(f"{COUNT} === {before + 1} && {PLAYING} === 1")
    assert visitor.page.evaluate("document.activeElement.closest('.card').dataset.code") == code


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_nothing_moves_by_itself_for_who_wants_no_motion(visit, stage, motion):
    visitor = visit(reduced_motion=motion)
    visitor.page.route("**/media/**", lambda route: None)  # a sound that never comes: the key breathes meanwhile
    home(visitor)
    visitor.page.locator("[data-list] .play").first.click()
    visitor.page.locator("bubble-player[waiting]").wait_for()
    visitor.page.locator("[data-list] > *").first.evaluate("(each) => each.classList.add('fresh')")
    moving = visitor.page.evaluate("document.getAnimations().map(({ animationName }) => animationName)")
    assert ("breathe" in moving, "arrive" in moving) == ((False, False) if motion == "reduce" else (True, True))
    assert motion != "reduce" or moving == []
