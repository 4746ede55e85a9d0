"""With JavaScript off, bubbles are read, heard, found and walked between."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.stage import AUTHOR
from tests.browser.visitor import DESKTOP, PHONE


@pytest.fixture(params=[PHONE, DESKTOP], ids=["phone", "desktop"])
def page(visit, request):
    return visit(kind=request.param, java_script_enabled=False).page


def test_the_share_page_shows_the_words_and_the_browsers_own_player_plays(page, stage):
    page.goto(f"/b/{stage.code}")
    told = stage.told[0]
    assert page.locator("main h1").inner_text() == told["title"]
    for cue in told["transcript"]["cues"]:
        assert cue["text"] in page.locator("#words").inner_text()
    audio = page.locator("main audio").first
    assert audio.is_visible()
    assert audio.get_attribute("controls") is not None
    sources = page.locator("main audio").first.locator("source").evaluate_all("all => all.map((each) => each.src)")
    assert len(sources) == 2
    for source in sources:
        assert page.request.get(source, headers={"Range": "bytes=0-99"}).status == 206


def test_what_needs_the_script_is_not_offered(page, stage):
    page.goto(f"/b/{stage.code}")
    assert page.locator("main button:visible").all_inner_texts() == []


def test_the_browsers_player_really_plays(visit, stage):
    """The page's scripts are held back, not the language: a test must ask the audio element how it goes."""
    visitor = visit(allowed=["ERR_FAILED"])
    visitor.page.route(re.compile(r"/assets/.*\.js$"), lambda route: route.abort())
    visitor.page.goto(f"/b/{stage.code}")
    audio = visitor.page.locator("main audio").first
    audio.focus()
    visitor.page.keyboard.press("Space")
    visitor.until("document.querySelector('main audio').currentTime > 0.3")


def test_search_finds_without_a_script(page, stage):
    page.goto("/")
    page.get_by_role("searchbox").fill("quay")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url(re.compile("/search"))
    page.get_by_role("link", name=stage.told[0]["title"]).first.click()
    page.wait_for_url(re.compile(f"/b/{stage.code}"))


def test_a_profile_leads_to_its_bubbles(page, stage):
    page.goto(f"/@{AUTHOR}")
    for told in stage.told:
        assert page.get_by_role("link", name=told["title"]).is_visible()
    assert page.locator("audio:visible").count() == len(stage.told)


def test_language_and_theme_are_chosen_without_a_script(page):
    page.goto("/")
    page.get_by_role("button", name="Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    page.locator("button[name=theme][value=dark]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
