"""Found by place: over the sphere, across the antimeridian, around the poles."""

import math
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from bubbles import find
from bubbles.db import narrowing
from bubbles.find import Box, Query, Sort
from bubbles.model.bubble import Bubble
from bubbles.model.place import EARTH_RADIUS_M, distance_m

Point = tuple[float, float]
SHARED_SESSION = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
LATITUDES = st.one_of(
    st.integers(-90_000_000, 90_000_000).map(lambda micro: micro / 1e6),
    st.sampled_from([-90.0, -89.999, 0.0, 45.0, 45.001, 89.999, 90.0]),
)
LONGITUDES = st.one_of(
    st.integers(-180_000_000, 180_000_000).map(lambda micro: micro / 1e6),
    st.sampled_from([-180.0, -179.999, 0.0, 0.001, 179.999, 180.0]),
)
POINTS = st.tuples(LATITUDES, LONGITUDES)
RADII = st.one_of(st.floats(1, 20_100_000), st.sampled_from([1.0, 150.0, 1_000.0, 250_000.0, 10_000_000.0]))


def found(session: Session, **conditions: object) -> list[tuple[str, float | None]]:
    page = find.find(session, Query(**{"limit": 100, **conditions}))
    assert page.next is None
    return [(item.whole.bubble.title, item.distance_m) for item in page.items]


def titles(session: Session, **conditions: object) -> list[str]:
    return [title for title, _ in found(session, **conditions)]


def in_savepoint(session: Session, act: Callable[[], None]) -> None:
    """Acts, and undoes it: for the next example of the same test."""
    savepoint = session.begin_nested()
    try:
        act()
    finally:
        savepoint.rollback()


@SHARED_SESSION
@given(points=st.lists(POINTS, max_size=12), near=POINTS, radius_m=RADII)
def test_a_radius_holds_what_the_haversine_says(session, publish, points, near, radius_m) -> None:
    def act() -> None:
        for number, point in enumerate(points):
            publish(str(number), where=point)
        true = {str(n): distance_m(*near, *point) for n, point in enumerate(points)}
        within = dict(found(session, near=near, radius_m=radius_m))
        for title, truth in true.items():
            if abs(truth - radius_m) > 0.01:
                assert (title in within) == (truth < radius_m)
        assert within == {title: pytest.approx(true[title], abs=0.01) for title in within}

    in_savepoint(session, act)


OFFSETS = st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2))


@SHARED_SESSION
@given(near=st.tuples(st.floats(-85, 85), LONGITUDES), radius_m=st.floats(100, 200_000), offsets=st.lists(OFFSETS))
def test_the_corners_around_a_circle_lie_outside(session, publish, near, radius_m, offsets) -> None:
    latitude, longitude = round(near[0], 6), near[1]
    high = math.degrees(radius_m / EARTH_RADIUS_M)
    wide = high / math.cos(math.radians(latitude))
    points = [
        (round(latitude + up * high, 6), round((longitude + right * wide + 180) % 360 - 180, 6))
        for up, right in offsets[:12]
    ]

    def act() -> None:
        true = {publish(str(n), where=at).title: distance_m(latitude, longitude, *at) for n, at in enumerate(points)}
        within = titles(session, near=(latitude, longitude), radius_m=radius_m)
        certain = {title for title, truth in true.items() if abs(truth - radius_m) > 0.01}
        assert certain & set(within) == {title for title in certain if true[title] < radius_m}

    in_savepoint(session, act)


@SHARED_SESSION
@given(points=st.lists(POINTS, max_size=12), near=POINTS, limit=st.integers(1, 5))
def test_the_nearest_come_first_over_the_sphere(session, publish, points, near, limit) -> None:
    def act() -> None:
        for point in points:
            publish("", where=point)
        page = find.find(session, Query(near=near, limit=limit))
        true = sorted(distance_m(*near, *point) for point in points)[:limit]
        assert [item.distance_m for item in page.items] == pytest.approx(true, abs=0.11)

    in_savepoint(session, act)


@SHARED_SESSION
@given(points=st.lists(POINTS, max_size=12), west=LONGITUDES, south=LATITUDES, east=LONGITUDES, north=LATITUDES)
def test_a_box_holds_what_lies_in_it(session, publish, points, west, south, east, north) -> None:
    south, north = sorted([south, north])

    def is_inside(latitude: float, longitude: float) -> bool:
        meridians = {longitude} | ({-180.0, 180.0} if abs(longitude) == 180 else set())
        around = [west <= each <= east if west <= east else each >= west or each <= east for each in meridians]
        return south <= latitude <= north and any(around)

    def act() -> None:
        for number, point in enumerate(points):
            publish(str(number), where=point)
        box = Box(west, south, east, north)
        expected = {str(number) for number, point in enumerate(points) if is_inside(*point)}
        assert set(titles(session, bbox=box)) == expected

    in_savepoint(session, act)


@pytest.mark.parametrize("near", [(-17.0, 179.999), (-17.0, -179.999), (-17.0, 180.0), (-17.0, -180.0)])
def test_the_antimeridian_is_no_border(session, publish, near) -> None:
    for title, longitude in {"west": 179.99, "line": 180.0, "east": -179.99, "far": 0.0}.items():
        publish(title, where=(-17.0, longitude))
    assert set(titles(session, near=near, radius_m=3_000)) == {"west", "line", "east"}
    assert titles(session, near=near)[-1] == "far"
    assert set(titles(session, bbox=Box(179.5, -18, -179.5, -16))) == {"west", "line", "east"}
    assert set(titles(session, bbox=Box(-180, -18, -179.5, -16))) == {"line", "east"}


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_the_poles_have_all_longitudes_around_them(session, publish, pole) -> None:
    for longitude in (-120.0, 0.0, 120.0):
        publish(str(longitude), where=(pole * 0.9999, longitude))
    publish("equator", where=(0.0, 0.0))
    assert set(titles(session, near=(pole, 45.0), radius_m=2_000)) == {"-120.0", "0.0", "120.0"}
    assert titles(session, near=(pole * 0.9999, 120.0), limit=100)[0] == "120.0"


def test_near_without_a_radius_and_in_another_order_leaves_nothing_out(session, publish) -> None:
    publish("here", where=(45.0, 13.0))
    publish("nowhere")
    publish("there", where=(46.0, 13.0))
    assert titles(session, near=(45.0, 13.0)) == ["here", "there"]
    assert found(session, near=(45.0, 13.0), order=Sort.NEWEST)[1:] == [("nowhere", None), ("here", 0.0)]


@pytest.mark.parametrize("tiny", [5e-324, 1e-200, -1e-160])
def test_a_point_beside_another_by_next_to_nothing_is_that_point(session, publish, tiny) -> None:
    publish("it", where=(0.0, 0.0))
    assert found(session, near=(tiny, tiny)) == found(session, near=(tiny, tiny), radius_m=1) == [("it", 0.0)]
    assert titles(session, bbox=Box(-abs(tiny), -abs(tiny), abs(tiny), abs(tiny))) == ["it"]


def test_the_earth_as_a_whole_is_a_place(session, publish) -> None:
    publish("somewhere", where=(0.0, 0.0))
    publish("nowhere")
    assert titles(session, bbox=Box(-180, -90, 180, 90)) == ["somewhere"]
    assert titles(session, near=(80.0, 10.0), radius_m=20_100_000) == ["somewhere"]


@pytest.mark.parametrize("narrow_max", [0, 2])
def test_a_region_that_holds_many_finds_the_same(session, publish, monkeypatch, narrow_max) -> None:
    monkeypatch.setattr(narrowing, "NARROW_MAX", narrow_max)
    inside: list[Bubble] = [publish(str(number), where=(45.0, 13.0 + number / 1000)) for number in range(4)]
    publish("outside", where=(45.1, 13.0))
    newest = [bubble.title for bubble in reversed(inside)]
    assert titles(session, bbox=Box(12.9, 44.9, 13.1, 45.05)) == newest
    assert titles(session, near=(45.0, 13.0), radius_m=1_000) == newest
