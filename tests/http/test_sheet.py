"""A place in words and as a picture, wherever on earth it is."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbles.config import Settings
from bubbles.http import languages, present, sheet
from bubbles.model.place import PlaceRole, Precision, snap

TOLD = [precision for precision in Precision if precision is not Precision.NONE]

ENGLISH, FRENCH = (languages.read(Settings().pages_dir, language) for language in ("en", "fr"))


def told(latitude: float, longitude: float, precision: Precision) -> dict:
    place = present.place(snap(latitude, longitude, precision, PlaceRole.RECORDED))
    assert place is not None
    return place


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(TOLD))
def test_every_place_can_be_drawn(latitude, longitude, precision):
    drawing = sheet.drawn(told(latitude, longitude, precision), ENGLISH)
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", drawing["rules"] + drawing["fine"])]
    assert all(math.isfinite(number) for number in [*numbers, drawing["radius"], drawing["scale"]["length"]])
    assert len(drawing["rules"]) + len(drawing["fine"]) < 4000


def test_the_bubble_holds_its_cell():
    drawing = sheet.drawn(told(47.4, 8.5, Precision.STREET), ENGLISH)
    _, _, width, height = drawing["cell"]
    assert drawing["radius"] == pytest.approx(math.hypot(width, height) / 2, rel=0.02)


def test_fine_rules_lie_on_the_cells_borders():
    drawing = sheet.drawn(told(47.4, 8.5, Precision.TOWN), ENGLISH)
    assert set(re.findall(r"M[\d.]+ 0V", drawing["rules"])) <= set(re.findall(r"M[\d.]+ 0V", drawing["fine"]))


@pytest.mark.parametrize(
    ("length_m", "text"), [(0, "0 m"), (101.4, "100 m"), (1234, "1.2 km"), (99_600, "100 km"), (math.inf, "0 m")]
)
def test_a_length_is_rounded(length_m, text):
    assert sheet.length(length_m, ENGLISH).replace("\u00a0", " ") == text


def test_south_and_west_are_named():
    place = told(-33.8, -70.6, Precision.TOWN)
    assert sheet.where(place, ENGLISH).endswith("of 33.8°\u00a0S, 70.6°\u00a0W")
    assert sheet.where(place, FRENCH).endswith("de 33,8°\u00a0S, 70,6°\u00a0O")


def test_a_length_has_the_decimal_sign_of_its_language():
    assert sheet.length(1234, FRENCH) == "1,2\u00a0km"


TOWN = {"name": "Lyon", "region": None, "country": "FR", "is_near": False}


def test_a_place_is_told_by_its_town_where_there_is_one():
    place = told(45.764, 4.8357, Precision.NEIGHBOURHOOD) | {"town": TOWN}
    assert sheet.where(place, ENGLISH) == "in Lyon, France, to within 700\xa0m"
    assert sheet.where(place | {"radius_m": 0.0}, ENGLISH) == "in Lyon, France"
    assert sheet.where(place | {"town": TOWN | {"is_near": True}}, ENGLISH) == "near Lyon, France"
    assert sheet.name(place | {"town": TOWN | {"is_near": True}}, ENGLISH) == "near Lyon, France"
    assert sheet.name(place, ENGLISH) == "Lyon, France"
    assert sheet.name(place | {"town": None}, ENGLISH) == sheet.coordinates(place, ENGLISH)
