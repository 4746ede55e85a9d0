"""A place set on a map: by a finger and by keys, with the cell that others will see, and told to the form around it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from bubbles.model.place import PlaceRole, Precision, cell_of, snap
from tests.browser.pages import sign_in
from tests.browser.spoken import recorded
from tests.browser.visitor import DESKTOP

AT = {"latitude": "45.7640", "longitude": "4.8357", "precision": "street"}


@pytest.fixture
def told(quiet, tmp_path) -> dict[str, Any]:
    """A bubble of its own, whose place is told by its street; it is of the handle under `handle`."""
    handle = quiet.account()
    return quiet.publish(recorded(tmp_path), quiet.token(handle), **AT) | {"handle": handle}


@pytest.fixture
def desk(visit, quiet, told) -> Page:
    """Its page in the studio."""
    page: Page = visit(kind=DESKTOP, origin=quiet.origin).page
    sign_in(page, quiet, told["handle"])
    page.goto(f"/studio/bubbles/{told['code']}")
    page.locator("place-picker").scroll_into_view_if_needed()
    expect(page.locator("place-picker canvas")).to_be_visible()
    return page


def point(page: Page) -> tuple[float, float]:
    return float(page.locator("#latitude").input_value()), float(page.locator("#longitude").input_value())


def test_arrow_keys_go_by_cells(desk, told):
    desk.select_option("#precision", "neighbourhood")
    at = told["place"]
    before = desk.locator("#latitude").input_value()
    desk.locator("place-picker canvas").focus()
    desk.keyboard.press("ArrowUp")
    expect(desk.locator("#latitude")).not_to_have_value(before)
    cell = cell_of(at["latitude"], at["longitude"], Precision.NEIGHBOURHOOD)
    latitude, longitude = point(desk)
    assert cell_of(latitude, longitude, Precision.NEIGHBOURHOOD).south == pytest.approx(cell.north)
    here = snap(at["latitude"], at["longitude"], Precision.NEIGHBOURHOOD, PlaceRole.RECORDED)
    assert longitude == pytest.approx(here.longitude, abs=1e-6)
    expect(desk.get_by_text("Others will see only this cell, about 1 km across.")).to_be_visible()


def test_a_finger_sets_the_place(desk, told):
    at = told["place"]
    desk.locator("place-picker canvas").click()  # in its middle, where the cell is
    latitude, longitude = point(desk)
    middle = snap(latitude, longitude, Precision.STREET, PlaceRole.RECORDED)
    assert middle.latitude == pytest.approx(at["latitude"], abs=2e-3)
    assert middle.longitude == pytest.approx(at["longitude"], abs=2e-3)


def test_what_is_typed_is_shown(desk):
    desk.locator("#latitude").fill("48.8566")
    desk.locator("#longitude").fill("2.3522")
    desk.locator("#longitude").press("Tab")
    shown = desk.evaluate("document.querySelector('place-picker').point")
    assert shown == {"latitude": 48.8566, "longitude": 2.3522}


def test_nothing_finer_than_the_cell_is_sent(desk):
    desk.select_option("#precision", "exact")
    before = desk.locator("#latitude").input_value()
    desk.locator("place-picker canvas").click(position={"x": 41, "y": 37})
    expect(desk.locator("#latitude")).not_to_have_value(before)
    fine = point(desk)
    desk.select_option("#precision", "town")
    with desk.expect_request(lambda asked: asked.method == "POST" and "latitude" in (asked.post_data or "")) as sent:
        desk.locator(".about-form button[type=submit]").click()
    middle = snap(*fine, Precision.TOWN, PlaceRole.RECORDED)
    assert f"latitude={middle.latitude}&longitude={middle.longitude}" in sent.value.post_data


def test_without_a_drawing_surface_the_cell_is_sketched(visit, quiet, told):
    page = visit(origin=quiet.origin).page
    sign_in(page, quiet, told["handle"])
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto(f"/studio/bubbles/{told['code']}")
    page.locator("place-picker").scroll_into_view_if_needed()
    expect(page.locator("place-picker svg .cell")).to_be_visible()
