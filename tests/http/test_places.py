"""Towns by name over HTTP, and the names of places on pages and in the API."""

import json

import pytest

from bubbles.db import towns
from bubbles.http import naming
from bubbles.model.place import PlaceRole, Precision, snap
from tests.http.hostile import parsed
from tests.towns import write

FRENCH = {"Accept-Language": "fr-FR,fr;q=0.9"}
SEA = snap(43.0, -30.0, Precision.NEIGHBOURHOOD, PlaceRole.ABOUT)


@pytest.fixture
def listed(house, tmp_path):
    towns.load(house.database, write(tmp_path / "places.tsv"))


def labels(client, query, **headers):
    response = client.get(f"/api/places?{query}", headers=headers)
    assert response.status_code == 200, response.text
    return [item["label"] for item in response.json()["items"]]


def test_before_the_list_is_loaded_it_is_told(client, browser) -> None:
    response = client.get("/api/places?q=lyon")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert client.get("/readyz").json()["parts"]["places"] == "missing"
    page = browser.get("/search?near=Lyon&q=fog")
    assert (page.status_code, "cannot be found by name just now" in page.text) == (503, True)
    assert 'value="Lyon"' in page.text


def test_towns_come_with_what_tells_them_apart(client, listed) -> None:
    assert labels(client, "q=par") == ["Paris, France", "Paris, TX, United States", "Paris, Canada"]
    assert labels(client, "q=par&limit=1") == ["Paris, France"]
    (item,) = client.get("/api/places?q=par&limit=1&near=33.7,-95.5").json()["items"]
    assert item["label"] == "Paris, TX, United States"
    assert set(item) == {
        "name", "region", "country", "label", "latitude", "longitude", "population", "distance_m",
    }  # fmt: skip
    assert client.get("/readyz").json()["parts"]["places"] == "ok"


def test_countries_are_named_in_the_askers_language(client, listed) -> None:
    assert labels(client, "q=sao", **FRENCH) == ["São Paulo, Brésil"]
    response = client.get("/api/places?q=sao", headers=FRENCH)
    assert "Accept-Language" in response.headers["vary"]
    assert (
        client.get("/api/places?q=sao", headers=FRENCH | {"If-None-Match": response.headers["etag"]}).status_code == 304
    )


@pytest.mark.parametrize("query", ["q=paris,+états", "q=Paris,+united+st", "q=Paris,tx"])
def test_what_follows_a_comma_keeps_to_a_country_or_a_state(client, listed, query) -> None:
    assert labels(client, query, **FRENCH)[0] == "Paris, TX, États-Unis"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "bad_request"), ("q=", "bad_request"), ("q=%20", "bad_request"), ("q=%00", "bad_text"),
        ("q=" + "a" * 101, "bad_text"), ("q=a&limit=0", "bad_request"), ("q=a&limit=21", "bad_request"),
        ("q=a&limit=x", "bad_request"), ("q=a&near=1", "bad_place"), ("q=a&near=91,0", "bad_place"),
        ("q=a&country=FR", "bad_request"),
    ],
)  # fmt: skip
def test_what_is_no_question_for_towns_is_refused(client, listed, query, code) -> None:
    assert client.get(f"/api/places?{query}").json()["code"] == code


def test_a_bubble_is_told_with_the_town_of_its_place(client, stage, listed) -> None:
    bubble = stage.bubble()
    place = client.get(f"/api/bubbles/{bubble.code}").json()["place"]
    assert place["name"] == "Lyon, France"
    assert place["town"] == {"name": "Lyon", "region": None, "country": "FR", "is_near": False}
    (listed_bubble,) = client.get("/api/bubbles").json()["items"]
    assert listed_bubble["place"] == place


def test_pages_name_the_place_in_their_language(browser, stage, listed) -> None:
    bubble = stage.bubble()
    page = browser.get(f"/b/{bubble.code}").text
    assert "Recorded in Lyon, France, to within" in page
    linked = json.loads(page.partition('<script type="application/ld+json">')[2].partition("</script>")[0])
    assert linked["contentLocation"]["name"] == "Lyon, France"
    assert "à Lyon, France, à" in browser.get("/", headers=FRENCH).text


def test_far_from_towns_a_place_is_told_in_degrees(browser, stage, listed) -> None:
    bubble = stage.bubble(place=SEA)
    assert "43.0" in browser.get(f"/b/{bubble.code}").text
    assert browser.get(f"/api/bubbles/{bubble.code}").json()["place"]["name"] is None


def test_a_search_near_a_town_works_without_a_script(browser, stage, listed) -> None:
    stage.bubble(title="By the Rhône")
    stage.bubble(title="Out at sea", place=SEA)
    page = browser.get("/search?near=lyon&radius_m=20000").text
    assert "By the Rhône" in page
    assert "Out at sea" not in page
    assert "Around Lyon, France" in page
    assert parsed(page).all("input", "value").count("lyon") == 1


@pytest.mark.parametrize("name", ["Xqzwvk", "<script>alert(1)</script>", "nowhere, France"])
def test_a_town_that_nobody_knows_is_said_plainly(browser, listed, name) -> None:
    response = browser.get("/search", params={"near": name})
    assert response.status_code == 422
    assert "is known here" in response.text
    assert "<script>alert" not in response.text


def test_degrees_are_no_name(browser, stage, listed) -> None:
    stage.bubble()
    assert "Around" not in browser.get("/search?near=45.76,4.84").text
    assert "is known here" not in browser.get("/search?near=45.76,4000").text


def test_countries_are_known_by_their_beginning_in_both_languages() -> None:
    assert naming.countries("allem", "fr") == naming.countries("German", "fr") == ["DE"]
    assert "DE" in naming.countries("de", "fr")
    assert naming.countries("Allem", "en") == []
    assert naming.country_name("ZZZ", "en") == "ZZZ"
