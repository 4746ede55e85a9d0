"""Everything is reached and worked by the keyboard alone, in the order that it is read, and nothing holds it fast."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visitor import DESKTOP

STOPS_MAX = 150
FOCUSED = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const { top, bottom, left, right } = element.getBoundingClientRect();
  window.__stops ??= new Map();
  const known = window.__stops.get(element);
  const number = known ?? window.__stops.set(element, window.__stops.size).size - 1;
  return {
    number,
    again: known !== undefined,
    what: `${element.tagName.toLowerCase()} ${element.ariaLabel ?? element.textContent.trim().slice(0, 40)}`,
    outlined: (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none",
    seen: bottom > 0 && right > 0 && top < innerHeight && left < innerWidth,
  };
}"""


def stops(page: Page) -> list[dict[str, Any]]:
    """Where Tab leads from the top of the page until it leaves; fails when it goes round or never ends."""
    page.evaluate("document.activeElement?.blur(), window.__stops = new Map(), window.scrollTo(0, 0)")
    found: list[dict[str, Any]] = []
    for _ in range(STOPS_MAX):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None or (stop["again"] and stop["number"] == 0):
            return found
        assert not stop["again"], f"Tab comes back to {stop['what']} after {found[-1]['what']}"
        found.append(stop)
    raise AssertionError(f"Tab has not left the page after {STOPS_MAX} stops; the last are {found[-3:]}")


def tab_to(page: Page, selector: str) -> None:
    """Presses Tab until the element has the focus."""
    page.evaluate("document.activeElement?.blur()")
    for _ in range(STOPS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not lead to {selector}")


def test_tab_leads_through_the_share_page_and_shows_where_it_is(visit, stage):
    visitor = visit(kind=DESKTOP)
    page = visitor.page
    page.goto(f"/b/{stage.code}")
    found = stops(page)
    assert found[0]["what"].startswith("a Skip")
    assert any(stop["what"].startswith("button Play") for stop in found)
    assert [stop["what"] for stop in found if not stop["outlined"]] == []
    assert [stop["what"] for stop in found if not stop["seen"]] == []


def test_the_first_stop_skips_to_the_content(visit, stage):
    visitor = visit(kind=DESKTOP)
    page = visitor.page
    page.goto(f"/b/{stage.code}")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_space_plays_and_pauses(visit, stage):
    visitor = visit(kind=DESKTOP)
    page = visitor.page
    page.goto(f"/b/{stage.code}")
    tab_to(page, "bubble-player[main] button.play")
    page.keyboard.press("Space")
    visitor.until("document.querySelector('bubble-player[main] audio').currentTime > 0.2")
    page.keyboard.press("Enter")
    visitor.until("document.querySelector('bubble-player[main] audio').paused")


def test_arrows_seek(visit, stage):
    visitor = visit(kind=DESKTOP)
    page = visitor.page
    page.goto(f"/b/{stage.code}")
    tab_to(page, "bubble-player[main] input[type=range]")
    at = "document.querySelector('bubble-player[main] audio').currentTime"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    forward_s = page.evaluate(at)
    assert forward_s > 0
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(at) < forward_s
    page.keyboard.press("Home")
    assert page.evaluate(at) == 0


def test_enter_on_a_line_plays_from_it(visit, stage):
    visitor = visit(kind=DESKTOP)
    page = visitor.page
    page.goto(f"/b/{stage.code}")
    tab_to(page, "#words li:last-child a")
    start_s = stage.told[0]["transcript"]["cues"][-1]["start_s"]
    page.keyboard.press("Enter")
    visitor.until(
        "(start_s) => document.querySelector('bubble-player[main] audio').currentTime >= start_s", arg=start_s
    )


@pytest.mark.parametrize("address", ["/", "/map", "/walk", "/record", "/sign-up"])
def test_tab_leads_through_each_page_and_out_again(visit, address):
    visitor = visit(kind=DESKTOP)
    visitor.page.goto(address)
    visitor.page.wait_for_load_state("networkidle")
    found = stops(visitor.page)
    assert found[0]["what"].startswith("a Skip")
    assert [stop["what"] for stop in found if not stop["outlined"]] == []
    assert [stop["what"] for stop in found if not stop["seen"]] == []


def test_search_and_language_are_worked_by_the_keyboard(visit):
    visitor = visit(kind=DESKTOP)
    page = visitor.page
    page.goto("/")
    tab_to(page, "input[type=search]")
    page.keyboard.type("quay")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?*")
    tab_to(page, "button[name=language][value=fr]")
    page.keyboard.press("Enter")
    visitor.until("document.documentElement.lang === 'fr'")
    assert "q=quay" in page.url


def test_the_map_is_filtered_shown_and_heard_by_the_keyboard(visit, stage):
    visitor = visit(kind=DESKTOP)
    page, spots = visitor.page, visitor.page.locator(".spot")
    page.goto("/map?bbox=4.80,45.74,4.88,45.80")
    expect(page.locator("[data-unrolled] canvas")).to_be_visible()
    tab_to(page, ".map-filters summary")
    page.keyboard.press("Enter")
    tab_to(page, "[name=tag]")
    page.keyboard.type("nothing")
    page.keyboard.press("Enter")
    expect(spots).to_have_count(0)
    page.keyboard.press("Control+A")
    page.keyboard.type("quay")
    page.keyboard.press("Enter")
    expect(spots).to_have_count(len(stage.told))
    last = page.locator(".spot:last-child").get_attribute("data-code")
    tab_to(page, f".spot[data-code='{last}'] button.play")
    page.keyboard.press("Space")
    visitor.until("(code) => document.querySelector(`[data-code='${code}'] audio`).currentTime > 0.2", last)
    tab_to(page, f".spot[data-code='{last}'] [data-show]")
    page.keyboard.press("Enter")
    expect(page.locator(".spot.chosen")).to_have_attribute("data-code", str(last))
    tab_to(page, ".spot.chosen [data-close]")
    page.keyboard.press("Enter")
    expect(page.locator(".spot.chosen")).to_have_count(0)
