"""A place given in the recorder, by its name or by a pin: what is sent is what was chosen, as coarse as was chosen."""

import pytest
from playwright.sync_api import expect

from bubbles.model.place import PlaceRole, Precision, snap
from tests.browser.pages import sign_in
from tests.browser.recording import Recorder, listened_to
from tests.browser.spoken import recorded
from tests.browser.visitor import DESKTOP
from tests.journey.service import wait_for

pytestmark = pytest.mark.once

PICKED = "document.querySelector('place-picker').point"
HERE = (48.858370, 2.294481)
FINE = (b"48.85837", b"48.8583", b"2.294481", b"2.2944")
"""The digits that say more than the middle of a cell."""


@pytest.fixture
def author(recorder_of, tmp_path):
    """The recorder of someone who is signed in, with a take open."""
    return recorder_of(kind=DESKTOP).bring(recorded(tmp_path).path)


@pytest.fixture
def lyon(quiet):
    """Where the town lies, as the house has it: latitude and longitude."""
    with quiet.service.client() as client:  # the list is taken in while it serves already
        first, *_ = wait_for(lambda: client.get("/api/places", params={"q": "Lyon"}).json().get("items"))
    return first["latitude"], first["longitude"]


def choose_lyon(recorder):
    """Types the name, and takes the first that is found."""
    recorder.page.get_by_role("combobox", name="Search a place by its name").press_sequentially("Lyon")
    recorder.page.get_by_role("option").filter(has_text="France").first.click()
    expect(recorder.page.locator("[data-placed]")).to_be_visible()


def sent_place(recorder, quiet):
    """What the house was told: latitude, longitude, precision and role."""
    recorder.publish()
    place = quiet.ready(recorder.code(), "processing")["place"]
    return place["latitude"], place["longitude"], place["precision"], place["role"]


def expected(point, precision, role):
    place = snap(*point, precision, role)
    return place.latitude, place.longitude, precision.value, role.value


def test_a_name_that_is_typed_sends_its_neighbourhood(author, quiet, lyon):
    choose_lyon(author)
    assert sent_place(author, quiet) == expected(lyon, Precision.NEIGHBOURHOOD, PlaceRole.RECORDED)


def test_what_is_told_about_a_place_names_the_very_spot(author, quiet, lyon):
    choose_lyon(author)
    author.page.get_by_label("About this place").check()
    assert sent_place(author, quiet) == expected(lyon, Precision.EXACT, PlaceRole.ABOUT)


@pytest.mark.parametrize("precision", [Precision.STREET, Precision.TOWN])
def test_a_pin_sends_the_cell_that_it_is_in(author, quiet, lyon, precision):
    choose_lyon(author)
    author.page.locator(f"[name=precision][value={precision}]").check()
    author.page.locator("place-picker").scroll_into_view_if_needed()
    canvas = author.page.locator("place-picker canvas")
    box = canvas.bounding_box()
    assert box
    canvas.click(position={"x": box["width"] * 0.8, "y": box["height"] * 0.3})
    author.visitor.until(f"(latitude) => {PICKED}.latitude !== latitude", lyon[0])
    pin = author.page.evaluate(PICKED)
    point = pin["latitude"], pin["longitude"]
    assert point[0] > lyon[0]
    assert point[1] > lyon[1]
    assert expected(point, precision, PlaceRole.RECORDED) != expected(lyon, precision, PlaceRole.RECORDED)
    assert sent_place(author, quiet) == expected(point, precision, PlaceRole.RECORDED)


@pytest.fixture
def overheard(visit, quiet, handle, tmp_path):
    """A take made where the device is, as the recorder keeps it before a precision is chosen, and all that is sent."""
    with listened_to(quiet.origin) as wire:
        visitor = visit(at=HERE, origin=wire.origin)
        sign_in(visitor.page, quiet, handle)
        recorder = Recorder(visitor)
        recorder.page.goto(f"{wire.origin}/record")
        recorder.bring(recorded(tmp_path, 0).path)
        recorder.page.get_by_role("button", name="Where I am").click()
        wait_for(lambda: fields(recorder)["latitude"])
        yield recorder, wire


def fields(recorder):
    """What is kept of the only take but its sound."""
    return recorder.kept()["takes"][0]["fields"]


def finer(*told):
    """The digits among all that is told that say too much."""
    return [digits for digits in FINE if any(digits in each for each in told)]


@pytest.mark.parametrize("precision", [Precision.STREET, Precision.NEIGHBOURHOOD, Precision.TOWN, Precision.EXACT])
def test_nothing_finer_than_the_cell_is_kept_or_leaves_the_browser(overheard, precision):
    recorder, wire = overheard
    recorder.page.locator(f"[name=precision][value={precision}]").check()
    wait_for(lambda: fields(recorder)["precision"] == precision)
    assert b"48.8" not in bytes(wire.sent)
    kept = fields(recorder)
    recorder.publish()
    recorder.code()
    sent, place = bytes(wire.sent), snap(*HERE, precision, PlaceRole.RECORDED)
    assert (kept["latitude"], kept["longitude"]) == pytest.approx((place.latitude, place.longitude), abs=1e-6)
    for name in ("latitude", "longitude"):
        assert f'name="{name}"\r\n\r\n{kept[name]:.6f}\r\n'.encode() in sent
    if precision is not Precision.EXACT:
        assert finer(sent, str(kept).encode()) == []


def test_a_place_that_is_taken_back_neither_stays_nor_leaves(overheard):
    recorder, wire = overheard
    recorder.page.locator("[data-nowhere]").click()
    wait_for(lambda: fields(recorder)["latitude"] is None)
    kept = fields(recorder)
    recorder.publish()
    recorder.code()
    sent = bytes(wire.sent)
    assert kept["longitude"] is None
    assert b'name="visibility"' in sent
    assert b'name="latitude"' not in sent
    assert finer(sent, str(kept).encode()) == []
