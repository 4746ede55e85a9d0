"""The map: cells as wide as they are, its list in step, its view in the address, and nothing asked of anyone else."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from bubbles.model.place import PlaceRole, Precision, snap
from tests.browser.stage import TITLES, Stage
from tests.browser.visitor import DESKTOP, PATIENCE_S, PHONE, Visitor
from tests.journey.service import wait_for

LYON = "4.80,45.74,4.88,45.80"
CLOSE_DEGREES = 0.01
MAPLIBRE = re.compile(r"/assets/ground-[^/]*\.js$")


def close_to(number: int) -> str:
    """A view in whose middle a bubble of the stage lies: the width of a dozen streets."""
    at = snap(float(TITLES[number][1]), float(TITLES[number][2]), Precision(TITLES[number][3]), PlaceRole.RECORDED)
    assert at is not None
    edges = at.longitude - CLOSE_DEGREES, at.latitude - CLOSE_DEGREES, at.longitude + CLOSE_DEGREES
    return ",".join(f"{edge:.5f}" for edge in (*edges, at.latitude + CLOSE_DEGREES))


@pytest.fixture
def opened(visit: Callable[..., Visitor], stage: Stage) -> Callable[..., Visitor]:
    """A visitor whose map is unrolled and who has seen what lies in it."""

    def made(query: str = "", **wishes: Any) -> Visitor:
        visitor = visit(**wishes)
        with visitor.page.expect_response(re.compile("/api/map")):
            visitor.page.goto(f"/map{query}")
        expect(visitor.page.locator("[data-unrolled] canvas")).to_be_visible()
        return visitor

    return made


def listed(page: Page) -> Any:
    return page.locator(".spot .card-title")


def beside_the_middle(page: Page, right_px: float) -> tuple[float, float]:
    box = page.locator("canvas").bounding_box()
    assert box
    return box["x"] + box["width"] / 2 + right_px, box["y"] + box["height"] / 2


def pointed_at(page: Page, x_px: float, y_px: float) -> bool:
    """Whether the map takes what is drawn there for something to press."""
    page.mouse.move(x_px - 1, y_px)
    page.mouse.move(x_px, y_px)
    return bool(page.evaluate("document.querySelector('canvas').style.cursor === 'pointer'"))


def view_of(page: Page) -> tuple[float, float, float, float]:
    """West, south, east and north of the view in the address, in degrees."""
    west, south, east, north = map(float, parse_qs(urlsplit(page.url).query)["bbox"][0].split(","))
    return west, south, east, north


def test_a_cell_is_drawn_as_wide_as_it_is_and_plays_when_it_is_pressed(opened):
    visitor = opened(f"?bbox={close_to(0)}", kind=DESKTOP)
    page = visitor.page
    player = page.locator(".spot", has_text=TITLES[0][0]).locator("bubble-player")
    box = page.locator("canvas").bounding_box()
    assert box
    pixels_a_metre = box["height"] / (2 * CLOSE_DEGREES * 111_195)
    expect(player).not_to_have_attribute("playing", "")
    inside = beside_the_middle(page, right_px=80 * pixels_a_metre)  # the street's circle has a radius of 100 m
    outside = beside_the_middle(page, right_px=160 * pixels_a_metre)
    wait_for(lambda: pointed_at(page, *inside), timeout_s=PATIENCE_S)
    wait_for(lambda: not pointed_at(page, *outside), timeout_s=PATIENCE_S)
    page.mouse.click(*outside)
    wait_for(lambda: pointed_at(page, *inside), timeout_s=PATIENCE_S)
    expect(page.locator(".spot.chosen")).to_have_count(0)
    page.mouse.click(*inside)
    expect(player).to_have_attribute("playing", "")
    expect(page.locator(".spot.chosen")).to_contain_text(TITLES[0][0])


def test_the_list_and_the_address_keep_step_with_the_view(opened):
    visitor = opened(f"?bbox={LYON}", kind=DESKTOP)
    page = visitor.page
    expect(listed(page)).to_have_count(3)
    page.locator(".spot", has_text=TITLES[2][0]).get_by_role("button", name="Show on the map").click()
    expect(listed(page)).to_have_text([TITLES[2][0]])
    west, south, east, north = view_of(page)
    assert west < float(TITLES[2][2]) < east < west + 0.04  # closer than the whole town
    assert south < float(TITLES[2][1]) < north
    address = page.url
    page.goto("/search")
    page.go_back()
    assert page.url == address
    expect(listed(page)).to_have_text([TITLES[2][0]])
    again = opened(address[address.index("?") :], kind=DESKTOP).page
    expect(listed(again)).to_have_text([TITLES[2][0]])


def test_filters_are_in_the_address_and_narrow_map_and_list(opened):
    visitor = opened(f"?bbox={LYON}")
    page = visitor.page
    with page.expect_response(lambda answer: "/api/map" in answer.url and "tag=nothing" in answer.url) as answered:
        page.get_by_text("Filters").click()
        page.get_by_role("textbox", name="Tag").fill("nothing")
        page.get_by_role("textbox", name="Tag").press("Enter")
    assert answered.value.json()["features"] == []
    expect(page.get_by_text("Nobody has left a voice here yet")).to_be_visible()
    assert parse_qs(urlsplit(page.url).query)["tag"] == ["nothing"]
    assert "bbox" in page.url


def test_the_count_is_told_to_who_listens_to_the_page(opened):
    page = opened(f"?bbox={LYON}", kind=DESKTOP).page
    told = page.locator("[data-counted]")
    expect(told).to_have_text("3 bubbles")
    expect(told).to_have_role("status")
    page.locator("#q").fill("nobody said this")
    page.locator("#q").press("Enter")
    expect(told).not_to_have_text("3 bubbles")
    assert told.inner_text() == page.locator(".map-count").inner_text()


def test_what_was_seen_stays_where_no_answer_comes_and_the_page_says_so(opened):
    visitor = opened(f"?bbox={LYON}", kind=DESKTOP, allowed=("503",))
    page = visitor.page
    notice = page.locator("[data-notice]")
    page.route("**/api/map?*", lambda route: route.fulfill(status=503, json={}))
    with page.expect_response(re.compile("/map/list")):
        page.locator("canvas").press("+")
    expect(notice).to_contain_text("could not be brought up to date")
    expect(listed(page)).not_to_have_count(0)
    page.unroute("**/api/map?*")
    page.locator("canvas").press("-")
    expect(notice).to_be_empty()


def test_the_map_is_moved_by_keys(opened):
    visitor = opened(f"?bbox={LYON}", kind=DESKTOP)
    page = visitor.page
    before = page.url
    page.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: url != before)
    moved = page.url
    page.keyboard.press("+")
    page.wait_for_url(lambda url: url != moved)


@pytest.mark.parametrize("kind", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_where_i_am_is_a_cell_before_anything_is_asked(opened, stage, kind):
    here = 45.765432, 4.834567
    visitor = opened(f"?bbox={LYON}", at=here, kind=kind)
    page = visitor.page
    asked, lists = len(visitor.requests), len(visitor.requested("/map/list"))
    page.get_by_role("button", name="Where I am").click()
    cell = snap(*here, Precision.NEIGHBOURHOOD, PlaceRole.RECORDED)
    visitor.seen(lambda: (sum(view_of(page)[::2]) / 2) == pytest.approx(cell.longitude, abs=2e-4))
    visitor.seen(lambda: len(visitor.requested("/map/list")) > lists)  # and not that of the view before
    west, south, east, north = view_of(page)
    assert west < cell.longitude < east
    assert south < cell.latitude < north
    sent = " ".join(f"{each.url} {each.post_data or ''}" for each in visitor.requests[asked:])
    assert "45.7654" not in sent
    assert "4.8345" not in sent
    assert visitor.strays(stage.origin) == []


def test_who_says_not_where_they_are_is_told_what_to_do(opened):
    page = opened(f"?bbox={LYON}").page
    page.get_by_role("button", name="Where I am").click()
    expect(page.get_by_text("The browser may not tell where you are")).to_be_visible()


def test_a_map_across_the_antimeridian_is_the_same_after_a_visit_elsewhere(opened):
    visitor = opened("?bbox=178,-19,-178,-16", kind=DESKTOP)
    first = asked_view(visitor)
    assert first[0] > 170
    assert first[2] < -170
    visitor.page.goto("/search")
    with visitor.page.expect_response(re.compile("/api/map")):
        visitor.page.go_back()
    assert asked_view(visitor) == pytest.approx(first, abs=1e-3)


def asked_view(visitor: Visitor) -> list[float]:
    """West, south, east and north that the map asked about last, in degrees."""
    return [
        float(edge) for edge in parse_qs(urlsplit(visitor.requested("/api/map")[-1].url).query)["bbox"][0].split(",")
    ]


def test_the_list_is_read_and_heard_before_the_map_has_come(visit, stage):
    visitor = visit()
    page, held = visitor.page, []

    def hold(route: Any) -> None:
        held.append(route)

    page.route(MAPLIBRE, hold)
    page.goto(f"/map?bbox={LYON}", wait_until="commit")
    expect(listed(page)).to_have_count(3)
    for each in listed(page).all():
        expect(each).to_be_visible()
    page.locator(".spot bubble-player .play").first.click()
    visitor.until("document.querySelector('.spot audio').currentTime > 0.2")
    visitor.seen(lambda: held)
    expect(page.locator("canvas")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(page.locator("[data-unrolled] canvas")).to_be_visible()


def test_without_the_ground_the_bubbles_are_there_and_the_page_says_so(visit, stage):
    visitor = visit(allowed=("503",))
    page = visitor.page
    page.route("**/map/style.json*", lambda route: route.fulfill(status=503))
    with page.expect_response(re.compile("/api/map")):
        page.goto(f"/map?bbox={LYON}")
    expect(page.get_by_text("could not be loaded")).to_be_visible()
    expect(listed(page)).to_have_count(3)


def test_without_a_drawing_surface_list_and_search_work(visit, stage):
    page = visit().page
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(f"/map?bbox={LYON}")
    expect(page.get_by_text("This browser cannot draw the map")).to_be_visible()
    page.get_by_role("searchbox").fill("nonsuchword")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_text("Nobody has left a voice here yet")).to_be_visible()


def test_without_a_script_the_list_of_the_view_plays(visit, stage):
    page = visit(java_script_enabled=False).page
    page.goto(f"/map?bbox={LYON}")
    assert "The map itself needs JavaScript" in page.locator("noscript").inner_html()
    expect(listed(page)).to_have_count(3)
    page.get_by_role("searchbox").fill("nonsuchword")
    page.get_by_role("searchbox").press("Enter")
    assert parse_qs(urlsplit(page.url).query)["bbox"] == [LYON]
    expect(page.get_by_text("Nobody has left a voice here yet")).to_be_visible()
