"""Places are snapped to fixed cells: what is stored tells no more than its precision."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bubbles.errors import Code, Refused
from bubbles.model.place import (
    EARTH_RADIUS_M,
    Cell,
    Place,
    PlaceRole,
    Precision,
    cell_of,
    distance_m,
    snap,
)

SNAPPED = [Precision.STREET, Precision.NEIGHBOURHOOD, Precision.TOWN]
SIDE_M = {Precision.STREET: 143, Precision.NEIGHBOURHOOD: 1_001, Precision.TOWN: 10_008}
LATITUDES = st.floats(-90, 90) | st.sampled_from([-90.0, 90.0, 0.0, -89.955, 89.955, 45.0])
LONGITUDES = st.floats(-180, 180) | st.sampled_from([-180.0, 180.0, 0.0])
ROLE = PlaceRole.RECORDED


def stored(latitude: float, longitude: float, precision: Precision) -> Place:
    place = snap(latitude, longitude, precision, ROLE)
    assert place is not None
    return place


def holds(cell: Cell, latitude: float, longitude: float, slack: float = 1e-9) -> bool:
    return cell.south - slack <= latitude <= cell.north + slack and cell.west - slack <= longitude <= cell.east + slack


@pytest.mark.parametrize("precision", SNAPPED)
@given(latitude=LATITUDES, longitude=LONGITUDES)
def test_the_cell_holds_the_point_and_the_stored_point_is_its_middle(precision, latitude, longitude) -> None:
    cell = cell_of(latitude, longitude, precision)
    place = stored(latitude, longitude, precision)
    assert holds(cell, latitude, longitude)
    assert place.latitude == pytest.approx((cell.south + cell.north) / 2, abs=1e-6)
    assert place.longitude == pytest.approx((cell.west + cell.east) / 2, abs=1e-6)
    assert distance_m(latitude, longitude, place.latitude, place.longitude) <= place.radius_m * 1.2 + 1


@pytest.mark.parametrize("precision", SNAPPED)
@given(latitude=LATITUDES, longitude=LONGITUDES)
def test_snapping_again_changes_nothing(precision, latitude, longitude) -> None:
    place = stored(latitude, longitude, precision)
    assert stored(place.latitude, place.longitude, precision) == place


@pytest.mark.parametrize("precision", SNAPPED)
@given(latitude=LATITUDES, longitude=LONGITUDES, data=st.data())
def test_all_points_of_a_cell_are_stored_alike(precision, latitude, longitude, data) -> None:
    cell = cell_of(latitude, longitude, precision)
    up, across = data.draw(st.floats(0.001, 0.999)), data.draw(st.floats(0.001, 0.999))
    other = (
        cell.south + up * (cell.north - cell.south),
        cell.west + across * (cell.east - cell.west),
    )
    assert stored(*other, precision) == stored(latitude, longitude, precision)


@given(latitude=LATITUDES, longitude=LONGITUDES)
def test_cells_nest_so_that_a_second_post_narrows_nothing(latitude, longitude) -> None:
    street, neighbourhood, town = (cell_of(latitude, longitude, precision) for precision in SNAPPED)
    for inner, outer in ((street, neighbourhood), (neighbourhood, town)):
        assert holds(outer, inner.south, inner.west)
        assert holds(outer, inner.north, inner.east)


@given(latitude=LATITUDES, longitude=LONGITUDES)
def test_a_coarser_place_follows_from_a_finer_one(latitude, longitude) -> None:
    """Re-snapping a stored point tells what snapping the true one would have told."""
    for finer, coarser in ((SNAPPED[0], SNAPPED[1]), (SNAPPED[1], SNAPPED[2]), (SNAPPED[0], SNAPPED[2])):
        place = stored(latitude, longitude, finer)
        assert stored(place.latitude, place.longitude, coarser) == stored(latitude, longitude, coarser)


@pytest.mark.parametrize("precision", SNAPPED)
@given(latitude=st.floats(-85, 85), longitude=LONGITUDES)
def test_cells_are_about_as_wide_as_high_everywhere(precision, latitude, longitude) -> None:
    cell = cell_of(latitude, longitude, precision)
    middle = (cell.south + cell.north) / 2
    height_m = distance_m(cell.south, cell.west, cell.north, cell.west)
    width_m = distance_m(middle, cell.west, middle, cell.east)
    assert height_m == pytest.approx(SIDE_M[precision], rel=0.01)
    assert width_m == pytest.approx(height_m, rel=0.05)


@pytest.mark.parametrize("precision", SNAPPED)
@given(latitude=LATITUDES, longitude=LONGITUDES)
def test_neighbouring_cells_meet_without_gap_or_overlap(precision, latitude, longitude) -> None:
    cell = cell_of(latitude, longitude, precision)
    assume(cell.east < 180 - 1e-9)
    middle = (cell.south + cell.north) / 2
    east = cell_of(middle, cell.east + (cell.east - cell.west) / 2, precision)
    assert east.west == pytest.approx(cell.east, abs=1e-9)
    assert (east.south, east.north) == (cell.south, cell.north)


@given(latitude=LATITUDES, longitude=LONGITUDES)
def test_exact_keeps_the_point_and_none_keeps_nothing(latitude, longitude) -> None:
    assert snap(latitude, longitude, Precision.NONE, ROLE) is None
    place = stored(latitude, longitude, Precision.EXACT)
    assert place.radius_m == 0
    assert distance_m(latitude, longitude, place.latitude, place.longitude) < 0.1


@pytest.mark.parametrize("precision", list(Precision))
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308])
@pytest.mark.parametrize("axis", [0, 1])
def test_what_is_not_on_the_earth_is_refused(precision, bad, axis) -> None:
    point = [0.0, 0.0]
    point[axis] = bad
    with pytest.raises(Refused) as caught:
        snap(*point, precision, ROLE)
    assert caught.value.code is Code.BAD_PLACE


def test_distances_are_those_of_the_sphere() -> None:
    half_around_m = math.pi * EARTH_RADIUS_M
    assert distance_m(90, 0, -90, 0) == pytest.approx(half_around_m)
    assert distance_m(0, 180, 0, -180) == pytest.approx(0, abs=1e-6)
    assert distance_m(0, 179.5, 0, -179.5) == pytest.approx(half_around_m / 180)
    assert distance_m(48.8566, 2.3522, 51.5074, -0.1278) == pytest.approx(343_556, rel=0.001)  # Paris to London
