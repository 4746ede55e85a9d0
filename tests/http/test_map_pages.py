"""The map and the walk as the server writes them: whole and playable where no map can be drawn."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from bubbles.http import auth
from bubbles.model.place import PlaceRole, Precision, cell_of, snap
from tests.http.hostile import HOSTILE, Page, folded, parsed

HERE = 12.3456789, 56.7891234
"""Nothing else is there."""


def place(latitude: float, longitude: float, precision: Precision = Precision.NEIGHBOURHOOD):
    return snap(latitude, longitude, precision, PlaceRole.RECORDED)


def box(latitude: float, longitude: float, degrees: float = 0.1) -> str:
    return f"{longitude - degrees},{latitude - degrees},{longitude + degrees},{latitude + degrees}"


def page_of(browser, path: str, *, status: int = 200, **query: str) -> Page:
    response = browser.get(f"{path}?{urlencode(query)}")
    assert response.status_code == status, response.text
    return parsed(response.text)


def codes(page: Page) -> list[str]:
    return page.all("li", "data-code")


@pytest.mark.parametrize("path", ["/map", "/map/list"])
def test_the_list_holds_what_lies_in_the_view(browser, stage, path):
    inside, outside = stage.bubble(place=place(*HERE)), stage.bubble(place=place(-HERE[0], HERE[1]))
    page = page_of(browser, path, bbox=box(*HERE))
    assert inside.code in codes(page)
    assert outside.code not in codes(page)
    assert f"/media/{inside.code}.m4a" in page.all("source", "src")


def test_the_list_crosses_the_antimeridian(browser, stage):
    east, west = stage.bubble(place=place(-17.7, 179.95)), stage.bubble(place=place(-17.7, -179.95))
    far = stage.bubble(place=place(-17.7, 0))
    found = codes(page_of(browser, "/map", bbox="179.9,-18,-179.9,-17"))
    assert {east.code, west.code} <= set(found)
    assert far.code not in found


def test_without_a_view_the_newest_with_a_place_are_there(browser, stage, clock):
    clock.pass_s(3600)
    placed = stage.bubble(playable_at=clock())
    nowhere = stage.bubble(place=None, playable_at=clock())
    for path in ("/map", "/walk"):
        found = codes(page_of(browser, path))
        assert placed.code in found
        assert nowhere.code not in found


def test_filters_narrow_the_list_and_stay_in_the_form(browser, stage, clock):
    at = place(20.5, 30.5)
    fits = stage.bubble(place=at, tags=["quay"], language="fr", playable_at=clock())
    others = [stage.bubble(place=at, tags=["sea"]), stage.bubble(place=at, tags=["quay"], language="de")]
    old = stage.bubble(place=at, tags=["quay"], language="fr", playable_at=clock() - timedelta(days=9))
    page = page_of(browser, "/map", bbox=box(20.5, 30.5), tag="quay", language="fr", period="week", q="lemons")
    assert codes(page) == [fits.code]
    assert not {each.code for each in (*others, old)} & set(codes(page))
    given = {(name, value) for tag, name, value in page.values if tag == "input" and name == "value"}
    assert {("value", "quay"), ("value", "lemons"), ("value", box(20.5, 30.5))} <= given
    chosen = [attributes for attributes in page.skeleton if attributes[0] == "option" and "selected" in attributes]
    assert len(chosen) == 2


def test_the_next_page_keeps_the_question(browser, stage):
    at = place(-40.5, 100.5)
    made = {stage.bubble(place=at, tags=["many"]).code for _ in range(25)}
    first = page_of(browser, "/map", bbox=box(-40.5, 100.5), tag="many", period="year")
    (more,) = [link for link in first.all("a", "href") if "cursor=" in link]
    assert parse_qs(urlsplit(more).query)["tag"] == ["many"]
    second = parsed(browser.get(more).text)
    assert {*codes(first), *codes(second)} == made


def test_a_damaged_view_is_told_on_the_page(browser):
    for path in ("/map", "/map/list"):
        page = page_of(browser, path, status=422, bbox="here")
        assert "latitude lies between" in page.text
        assert codes(page) == []


def test_an_empty_view_says_so(browser):
    page = page_of(browser, "/map", bbox=box(-80, -100, 0.01))
    assert "Nobody has left a voice here yet" in page.text


def test_one_bubble_is_listed_alone_if_it_is_public(browser, stage, clock):
    bubble = stage.bubble()
    assert codes(page_of(browser, "/map/list", code=bubble.code)) == [bubble.code]
    hidden = [stage.bubble(visibility="unlisted"), stage.bubble(visibility="private"), stage.bubble(held_at=clock())]
    for code in (*(each.code for each in hidden), "AAAAAAAAAAAAAAAA", "%00", "../etc"):
        assert codes(page_of(browser, "/map/list", code=code)) == []


def test_nothing_finer_than_the_cell_is_written(browser, stage):
    bubble = stage.bubble(place=place(*HERE))
    cell = cell_of(*HERE, Precision.NEIGHBOURHOOD)
    page = page_of(browser, "/map", bbox="56,12,57,13")
    at = page.all("li", "data-latitude"), page.all("li", "data-longitude")
    here = codes(page).index(bubble.code)
    assert float(at[0][here]) == pytest.approx((cell.south + cell.north) / 2, abs=1e-6)
    assert float(at[1][here]) == pytest.approx((cell.west + cell.east) / 2, abs=1e-6)
    html = browser.get("/map?bbox=56,12,57,13").text
    assert not re.search(r"12\.3456|56\.7891", html)


@pytest.mark.parametrize("path", ["/map", "/walk"])
def test_the_pages_may_ask_where_one_is_and_load_from_nowhere_else(browser, path):
    response = browser.get(path)
    assert "geolocation=(self)" in response.headers["permissions-policy"]
    policy = dict(each.split(" ", 1) for each in response.headers["content-security-policy"].split("; "))
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert "set-cookie" not in response.headers
    assert response.headers["cache-control"] == "no-cache"
    assert browser.get(path, headers={"If-None-Match": response.headers["etag"]}).status_code == 304


def test_the_map_lies_on_the_style_that_is_set(house, browser):
    ours = page_of(browser, "/map")
    assert ours.all("div", "data-style-dark") == ["/map/style.json?theme=dark&language=en"]
    house.settings.map_style_url = "https://maps.example/{theme}/style.json"
    response = browser.get("/map")
    assert parsed(response.text).all("div", "data-style-light") == ["https://maps.example/light/style.json"]
    assert "connect-src 'self' https://maps.example" in response.headers["content-security-policy"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_texts_stay_texts(browser, stage, text):
    at = place(-33.25, -70.25)
    view = box(-33.25, -70.25)
    plain = stage.bubble(place=at, title="plain", tags=["plain"])
    like = page_of(browser, "/map/list", code=plain.code).skeleton
    hostile = stage.bubble(place=at, title=text, tags=[text])
    page = page_of(browser, "/map/list", code=hostile.code)
    assert page.skeleton == like
    assert folded(text) in folded(page.text)
    scripts = [each for each in page_of(browser, "/map", bbox=view).skeleton if each[0] == "script"]
    for name in ("q", "tag", "language", "channel", "period", "since", "bbox"):
        answer = browser.get("/map", params={"bbox": view} | {name: text})
        assert answer.status_code in {200, 400, 422}
        found = parsed(answer.text).skeleton
        assert [each for each in found if each[0] == "script"] == scripts
        assert not [each for each in found if each[0] == "img" or any(part.startswith("on") for part in each[1:])]


def test_it_speaks_french(browser):
    page = parsed(browser.get("/map", headers={"Accept-Language": "fr"}).text)
    assert "La carte des voix" in page.text
    assert auth.COOKIE not in page.text


def test_the_page_can_say_that_its_own_map_has_no_streets(browser):
    assert "No streets without a map service" in browser.get("/map").text
