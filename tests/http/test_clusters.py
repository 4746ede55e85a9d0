"""GET /api/map: GeoJSON of a view, no finer than what is stored."""

import json

import pytest

from bubbles.model.place import Place, PlaceRole, Precision, cell_of, snap
from tests.http.pages_fixtures import Stage

LYON = "bbox=4.7,45.7,4.9,45.9&zoom=12"
HOME = 45.764043, 4.835659


@pytest.fixture
def stage(house, world):
    yield Stage(house, world)
    with house.database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE bubble SET visibility = 'private'")


def asked(client, query):
    response = client.get(f"/api/map?{query}")
    assert response.status_code == 200, response.text
    return response.json()


def test_a_bubble_comes_with_its_cell_and_without_its_words(client, stage) -> None:
    bubble = stage.bubble(place=snap(*HOME, Precision.NEIGHBOURHOOD, PlaceRole.RECORDED))
    body = asked(client, LYON)
    assert (body["type"], body["count"], body["capped"]) == ("FeatureCollection", 1, False)
    (feature,) = body["features"]
    told = client.get(f"/api/bubbles/{bubble.code}").json()
    told_place = told["place"]
    assert feature["geometry"]["coordinates"] == [told_place["longitude"], told_place["latitude"]]
    (whole,) = client.get("/api/bubbles.geojson").json()["features"]
    named = {"name", "town"}  # a label needs no more than the cell
    whole["properties"]["place"] = {key: value for key, value in told_place.items() if key not in named}
    assert feature["properties"] == {key: whole["properties"][key] for key in feature["properties"]}
    assert set(feature["properties"]) == {
        "code", "state", "url", "title", "channel", "place", "duration_s", "recorded_at", "cell",
    }  # fmt: skip


def test_bubbles_of_one_cell_are_a_cluster_with_the_cell(client, stage) -> None:
    place = snap(*HOME, Precision.STREET, PlaceRole.RECORDED)
    for _ in range(3):
        stage.bubble(place=place)
    (feature,) = asked(client, LYON.replace("zoom=12", "zoom=22"))["features"]
    ring = cell_of(place.latitude, place.longitude, Precision.STREET).ring
    at = [place.longitude, place.latitude]
    assert feature == {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": at},
        "properties": {
            "cluster": True,
            "count": 3,
            "bbox": at + at,
            "precision": "street",
            "cell": {"type": "Polygon", "coordinates": [ring]},
        },
    }


@pytest.mark.parametrize("zoom", [0, 12, 24])
@pytest.mark.parametrize("count", [1, 2])
def test_nothing_finer_than_the_cell_leaves(client, stage, zoom, count) -> None:
    for _ in range(count):
        stage.bubble(place=snap(45.7912, 4.8823, Precision.TOWN, PlaceRole.RECORDED))
    text = json.dumps(asked(client, f"bbox=4,45,6,47&zoom={zoom}"))
    assert "45.79" not in text
    assert "4.88" not in text


def test_an_exact_place_has_no_cell(client, stage) -> None:
    stage.bubble(place=Place(*HOME, 0.0, Precision.EXACT, PlaceRole.ABOUT))
    (feature,) = asked(client, LYON)["features"]
    assert "cell" not in feature["properties"]
    stage.bubble(place=Place(*HOME, 0.0, Precision.EXACT, PlaceRole.ABOUT))
    (feature,) = asked(client, LYON)["features"]
    assert feature["properties"]["precision"] == "exact"
    assert "cell" not in feature["properties"]


def test_zoom_may_be_left_to_the_box(client, stage) -> None:
    stage.bubble()
    assert asked(client, "bbox=4.7,45.7,4.9,45.9")["count"] == 1


def test_the_same_view_is_not_sent_twice(client, stage) -> None:
    stage.bubble()
    first = client.get(f"/api/map?{LYON}")
    assert first.headers["content-type"] == "application/geo+json"
    assert first.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    assert client.get(f"/api/map?{LYON}", headers=known).status_code == 304
    stage.bubble()
    assert client.get(f"/api/map?{LYON}", headers=known).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "bad_request"),
        ("zoom=3", 400, "bad_request"),
        ("bbox=&zoom=3", 400, "bad_request"),
        ("bbox=1,2,3", 422, "bad_place"),
        ("bbox=1,5,3,4", 422, "bad_place"),
        ("bbox=0,0,nan,1", 422, "bad_place"),
        ("bbox=0,0,1,91", 422, "bad_place"),
        (f"{LYON}&zoom=3", 400, "bad_request"),
        ("bbox=0,0,1,1&zoom=x", 400, "bad_request"),
        ("bbox=0,0,1,1&zoom=nan", 400, "bad_request"),
        ("bbox=0,0,1,1&zoom=-1", 400, "bad_request"),
        ("bbox=0,0,1,1&zoom=1e9", 400, "bad_request"),
        (f"{LYON}&limit=5", 400, "bad_request"),
        (f"{LYON}&near=1,1", 400, "bad_request"),
        (f"{LYON}&language=!", 422, "bad_text"),
        (f"{LYON}&since=yesterday", 400, "bad_request"),
    ],
)
def test_what_is_no_view_is_refused_with_the_reason(client, query, status, code) -> None:
    response = client.get(f"/api/map?{query}")
    assert (response.status_code, response.json()["code"]) == (status, code)
