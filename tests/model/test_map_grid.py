"""The grid of a view: as fine as its zoom, and never too fine for its box."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbles.errors import Code, Refused
from bubbles.model.map_grid import SQUARES_MAX, ZOOM_MAX, _squares, fitting_zoom, grid
from bubbles.model.query import Box

WORLD = Box(-180, -90, 180, 90)
LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)


def test_a_square_is_64_pixels_wide_at_a_whole_zoom_and_wider_up_to_the_next() -> None:
    street = Box(4.83, 45.76, 4.84, 45.77)
    assert grid(street, 14).columns == grid(street, 14.9).columns == 2**14 * 512 / 64
    assert grid(street, 15).columns == 2 * grid(street, 14).columns


@given(west=LONGITUDES, east=LONGITUDES, latitudes=st.tuples(LATITUDES, LATITUDES), zoom=st.floats(0, ZOOM_MAX))
def test_no_view_has_more_squares_than_a_screen_shows(west, east, latitudes, zoom) -> None:
    box = Box(west, min(latitudes), east, max(latitudes))
    columns = grid(box, zoom).columns
    assert _squares(box, columns) <= SQUARES_MAX
    assert columns <= 2**27


@pytest.mark.parametrize("zoom", [-0.1, 24.1, math.inf, math.nan])
def test_a_zoom_that_no_map_has_is_refused(zoom) -> None:
    with pytest.raises(Refused) as refused:
        grid(WORLD, zoom)
    assert refused.value.code == Code.BAD_REQUEST


def test_a_box_fits_a_tile_at_its_own_zoom() -> None:
    assert fitting_zoom(WORLD) == 0
    assert fitting_zoom(Box(135, 0, -135, 10)) == 2
    assert fitting_zoom(Box(1, 1, 1, 1)) == ZOOM_MAX
