"""What a map is told: all that a list of the same box holds, gathered, and nothing besides."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bubbles import find
from bubbles.db import clusters
from bubbles.find import Box, Query, View
from bubbles.model.map_grid import Grid, grid
from bubbles.model.place import PlaceRole, Precision, snap
from tests.find.test_places import LATITUDES, LONGITUDES, POINTS, in_savepoint

WORLD = Box(-180, -90, 180, 90)
SHARED_SESSION = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def counted(view: View) -> int:
    return sum(cluster.count for cluster in view.clusters)


@SHARED_SESSION
@given(
    points=st.lists(POINTS, max_size=12),
    west=LONGITUDES, east=LONGITUDES, south=LATITUDES, north=LATITUDES,
    zoom=st.floats(0, 24),
)  # fmt: skip
def test_a_view_counts_what_a_list_of_its_box_holds(session, publish, points, west, south, east, north, zoom) -> None:
    box = Box(west, min(south, north), east, max(south, north))

    def act() -> None:
        for point in points:
            publish("", where=point)
        listed = find.find(session, Query(bbox=box, limit=100)).items
        view = find.view(session, Query(bbox=box), grid(box, zoom))
        assert counted(view) == len(listed)
        assert {each.whole.bubble.id for each in listed} >= set(view.alone)
        assert not view.is_capped
        for cluster in view.clusters:
            assert cluster.box.south <= cluster.latitude <= cluster.box.north
            assert cluster.box.west <= cluster.longitude <= cluster.box.east

    in_savepoint(session, act)


def test_close_bubbles_are_one_cluster_from_afar_and_apart_from_near(session, publish) -> None:
    quay, hill = publish("quay", where=(45.7640, 4.8357)), publish("hill", where=(45.7772, 4.8525))
    box = Box(4.8, 45.7, 4.9, 45.8)
    (far,) = find.view(session, Query(bbox=box), grid(box, 3)).clusters
    assert (far.count, far.bubble_id) == (2, None)
    assert (far.latitude, far.longitude) == pytest.approx(((45.7640 + 45.7772) / 2, (4.8357 + 4.8525) / 2))
    assert far.box == Box(4.8357, 45.7640, 4.8525, 45.7772)
    near = find.view(session, Query(bbox=box), grid(box, 14))
    assert set(near.alone) == {quay.id, hill.id} == {cluster.bubble_id for cluster in near.clusters}


def test_bubbles_of_one_cell_stay_together_at_every_zoom(session, publish) -> None:
    for where in ((45.7640, 4.8357), (45.7641, 4.8359)):
        publish("").place = snap(*where, Precision.NEIGHBOURHOOD, PlaceRole.RECORDED)
    session.flush()
    (cluster,) = find.view(session, Query(bbox=WORLD), Grid(2**27)).clusters
    assert (cluster.count, cluster.precision, cluster.bubble_id) == (2, Precision.NEIGHBOURHOOD, None)


def test_one_point_at_two_precisions_is_no_cell(session, publish) -> None:
    place = snap(45.7640, 4.8357, Precision.NEIGHBOURHOOD, PlaceRole.RECORDED)
    publish("", where=(place.latitude, place.longitude))
    publish("").place = place
    session.flush()
    (cluster,) = find.view(session, Query(bbox=WORLD), Grid(2**27)).clusters
    assert cluster.precision is None


def test_a_view_across_the_antimeridian_holds_both_sides(session, publish) -> None:
    for longitude in (179.99, 180.0, -179.99, 0.0):
        publish("", where=(-17.0, longitude))
    box = Box(179.5, -18, -179.5, -16)
    view = find.view(session, Query(bbox=box), grid(box, 4))
    assert sorted((cluster.count, round(cluster.longitude)) for cluster in view.clusters) == [(1, -180), (2, 180)]


@pytest.mark.parametrize("latitude", [90.0, -90.0, 89.9])
def test_the_poles_are_on_the_map(session, publish, latitude) -> None:
    publish("", where=(latitude, 12.0))
    (cluster,) = find.view(session, Query(bbox=WORLD), grid(WORLD, 3)).clusters
    assert cluster.latitude == latitude


def test_only_what_is_listed_and_has_a_place_is_on_the_map(session, publish) -> None:
    publish("nowhere")
    for hidden in ({"visibility": "unlisted"}, {"visibility": "private"}, {"playable_at": None}):
        publish("", where=(45.0, 4.0), **hidden)
    assert find.view(session, Query(bbox=WORLD), grid(WORLD, 3)) == View([], {}, is_capped=False)


def test_every_condition_narrows_the_view_as_it_narrows_the_list(session, publish) -> None:
    publish("Fresh lemons", where=(45.0, 4.0), language="fr", channel="bob", tags=["market"])
    old = publish("Old bread", where=(45.0, 4.0), language="en")
    for narrowed in (
        {"q": "lemons"}, {"q": "lemmons"}, {"q": "zebra"}, {"language": "fr"}, {"channel": "bob"},
        {"tags": ("market",)}, {"since": old.playable_at}, {"until": old.playable_at},
    ):  # fmt: skip
        query = Query(bbox=WORLD, **narrowed)
        assert counted(find.view(session, query, grid(WORLD, 3))) == len(find.find(session, query).items), narrowed


def test_words_that_mean_nothing_find_nothing(session, publish) -> None:
    publish("It", where=(45.0, 4.0))
    assert find.view(session, Query(bbox=WORLD, q="-"), grid(WORLD, 3)).clusters == []


def test_of_too_many_the_newest_are_counted_and_it_is_said(session, publish, monkeypatch) -> None:
    monkeypatch.setattr(clusters, "COUNTED_MAX", 2)
    _, *newest = [publish("", where=(45.0, float(longitude))) for longitude in (0, 60, 120)]
    view = find.view(session, Query(bbox=WORLD), grid(WORLD, 3))
    assert view.is_capped
    assert set(view.alone) == {bubble.id for bubble in newest}
