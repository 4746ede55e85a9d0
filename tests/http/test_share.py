"""The page of a bubble, as browsers, crawlers and people without scripts get it."""

import json
import re

import pytest

from bubbles.model.place import PlaceRole, Precision, snap
from tests.http.hostile import Page, folded, parsed
from tests.http.pages_fixtures import WORDS
from tests.speech.vtt_reading import parse_vtt

BASE = "http://localhost:8000"


def page_of(browser, bubble, **kwargs) -> Page:
    response = browser.get(f"/b/{bubble.code}", **kwargs)
    assert response.status_code == 200
    return parsed(response.text)


def linked_data(browser, bubble) -> dict:
    html = browser.get(f"/b/{bubble.code}").text
    return json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)[1])


def meta(page: Page) -> dict[str, str]:
    """The page's meta elements by name or property."""
    names = [value for tag, name, value in page.values if tag == "meta" and name in {"name", "property", "http-equiv"}]
    contents = page.all("meta", "content")
    return dict(zip(names, contents, strict=True))


def test_a_public_page_is_kept_and_revalidated_and_the_same_for_everyone(browser, stage, world):
    channel, owner = world.channel()
    bubble = stage.bubble(channel=channel)
    first = browser.get(f"/b/{bubble.code}")
    assert first.headers["cache-control"] == "no-cache"
    assert "set-cookie" not in first.headers
    again = browser.get(f"/b/{bubble.code}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert browser.get(f"/b/{bubble.code}", headers=owner).text == first.text


def test_it_runs_nothing_inline_and_asks_nobody_else(browser, stage):
    response = browser.get(f"/b/{stage.bubble(tags=['market']).code}")
    page = parsed(response.text)
    policy = response.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "*" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert not [value for value in page.values if value[1] == "style" or value[1].startswith("on")]
    assert sorted(page.all("script", "type")) == ["application/json", "application/ld+json", "module", "module"]
    fetched = [
        *page.all("script", "src"),
        *page.all("link", "href"),
        *page.all("source", "src"),
        *page.all("img", "src"),
    ]
    assert all(re.match(rf"[#/](?!/)|{BASE}/", address) for address in fetched)


def test_it_plays_without_a_script(browser, stage):
    bubble = stage.bubble()
    page = page_of(browser, bubble)
    assert page.all("audio", "preload") == ["none"]
    assert ("audio", "controls") in [(tag, name) for tag, name, _ in page.values]
    assert page.all("source", "src") == [f"/media/{bubble.code}.m4a", f"/media/{bubble.code}.ogg"]
    assert page.all("source", "type") == ["audio/mp4", "audio/ogg"]


def test_every_peak_is_a_bar(browser, stage):
    (wave,) = [d for d in page_of(browser, stage.bubble()).all("path", "d") if d.count("M") == 200]
    heights = [float(height) for height in re.findall(r"h0\.62v([\d.]+)", wave)]
    assert len(heights) == 200
    assert heights == sorted(heights)


def test_each_cue_has_a_link_to_its_second(browser, stage):
    page = page_of(browser, stage.bubble())
    cues = [href for href in page.all("a", "href") if href.startswith("#t=")]
    assert cues == ["#t=0", "#t=2.5", "#t=4.25"]
    assert page.all("li", "id")[: len(cues)] == ["t=0", "t=2.5", "t=4.25"]
    assert all(cue.text in page.text for cue in WORDS)


def test_unsure_words_are_marked_and_explained(browser, stage):
    page = page_of(browser, stage.bubble())
    assert page.all("li", "class") == ["unsure"]
    assert "were heard unsurely" in page.text
    assert "were heard unsurely" not in page_of(browser, stage.bubble(words=WORDS[:1])).text


def test_doubt_about_the_language_is_said(browser, stage):
    assert "Probably French (we are not sure of the language)" in page_of(
        browser, stage.bubble(language="fr", language_doubtful=True)
    ).text  # fmt: skip
    assert "not sure of the language" not in page_of(browser, stage.bubble()).text


def test_linked_data_says_what_it_is_and_holds_only_sure_words(browser, stage):
    bubble = stage.bubble(tags=["market"])
    data = linked_data(browser, bubble)
    assert data["transcript"] == "Fresh lemons at the harbour. The market opens at nine."
    assert data["@type"] == "AudioObject"
    assert data["contentUrl"] == f"{BASE}/media/{bubble.code}.m4a"
    assert (data["encodingFormat"], data["duration"], data["inLanguage"]) == ("audio/mp4", "PT100S", "en")
    assert (data["name"], data["uploadDate"]) == ("Market day", "2026-11-23T22:00:00Z")
    assert data["contentLocation"]["geo"]["geoMidpoint"]["latitude"] == bubble.latitude
    assert data["contentLocation"]["geo"]["geoRadius"] == bubble.radius_m


def test_previews_know_title_sound_and_address(browser, stage):
    bubble = stage.bubble()
    page = page_of(browser, bubble)
    told = meta(page)
    assert (told["og:title"], told["og:url"]) == ("Market day", f"{BASE}/b/{bubble.code}")
    assert told["og:description"].startswith("Fresh lemons at the harbour. The market")
    assert (f"{BASE}/media/{bubble.code}.m4a", "audio/mp4") in zip(
        page.all("meta", "content"), page.all("meta", "content")[1:], strict=False
    )
    assert told["twitter:card"] == "summary"
    assert told["robots"] == "index"
    assert f"{BASE}/b/{bubble.code}" in page.all("link", "href")


def test_the_address_comes_from_the_settings_and_not_from_the_request(browser, stage):
    response = browser.get(f"/b/{stage.bubble().code}", headers={"Host": "evil.example"})
    assert "evil.example" not in response.text


def test_an_unlisted_page_is_neither_indexed_nor_stored(browser, stage):
    bubble = stage.bubble(visibility="unlisted")
    response = browser.get(f"/b/{bubble.code}")
    assert response.headers["cache-control"] == "no-store"
    assert meta(parsed(response.text))["robots"] == "noindex"
    assert "access-control-allow-origin" not in browser.get(f"/b/{bubble.code}.vtt").headers


def test_while_it_is_prepared_the_page_says_so_and_looks_again(browser, stage, house):
    bubble = stage.bubble(words=None, playable_at=None)
    response = browser.get(f"/b/{bubble.code}")
    page = parsed(response.text)
    assert "being prepared" in page.text
    assert (meta(page)["refresh"], meta(page)["robots"]) == ("5", "noindex")
    assert response.headers["cache-control"] == "no-store"
    assert not page.all("audio", "preload")
    assert "refresh" not in meta(page_of(browser, stage.bubble(words=None)))


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"waiting_for": "model"}, "the speech model is missing here"),
        ({"waiting_for": "store"}, "the store that keeps the recording does not answer"),
        ({}, "waits for its turn"),
        ({"started_at": "now"}, "are being written down"),
        ({"waiting_for": "spoiled"}, "what the store gives back of the sound is damaged"),
        ({"gave_up_at": "now"}, "could not be written down"),
        ({"gave_up_at": "now", "error": "spoiled"}, "the sound that is kept is damaged"),
        ({"gave_up_at": "now", "error": "died"}, "was ended again and again while it listened"),
        ({"gave_up_at": "now", "error": "no_memory"}, "there was not enough memory for it"),
    ],
)
def test_words_that_are_not_there_have_a_reason(browser, stage, house, step, says):
    moments = {name: house.now() if value == "now" else value for name, value in step.items()}
    page = page_of(browser, stage.bubble(words=None, step=moments))
    assert says in folded(page.text)
    assert page.all("audio", "preload") == ["none"]


@pytest.mark.parametrize(
    ("missing", "says"),
    [("store", "A part of the service is away"), ("spoiled", "what the store gives back of it is damaged")],
)
def test_sound_that_is_not_made_playable_yet_has_a_reason(browser, stage, missing, says):
    bubble = stage.bubble(words=None, playable_at=None, step={"name": "normalise", "waiting_for": missing})
    assert says in folded(page_of(browser, bubble).text)


def test_a_bubble_without_speech_says_so(browser, stage):
    assert "No speech was heard" in page_of(browser, stage.bubble(words=())).text


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"visibility": "private"}, "Only for the team"),
        ({"held_at": "now", "held_reason": "three reports"}, "Held for a moderator: three reports"),
        ({"refused_at": "now", "refused_reason": "an advert"}, "Refused: an advert"),
        ({"withdrawn_at": "now", "withdrawn_reason": "on request"}, "Withdrawn: on request"),
        ({"failed_at": "now", "playable_at": None}, "Could not be made playable"),
    ],
)
def test_what_is_not_open_is_the_same_404_for_strangers_and_a_reason_for_the_team(
    browser, stage, world, house, columns, says
):
    channel, owner = world.channel()
    moments = {name: house.now() if value == "now" else value for name, value in columns.items()}
    path = f"/b/{stage.bubble(channel=channel, **moments).code}"
    refusal, unknown = browser.get(path), browser.get("/b/AAAAAAAAAAAAAAAA")
    assert refusal.status_code == unknown.status_code == 404
    assert refusal.text.replace(path, "") == unknown.text.replace("/b/AAAAAAAAAAAAAAAA", "")
    response = browser.get(path, headers=owner)
    assert says in folded(parsed(response.text).text)
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("precision", "says"),
    [
        (Precision.EXACT, "47.37691° N, 8.54169° E"),
        (Precision.STREET, "within 100 m of 47.377° N, 8.541° E"),
        (Precision.NEIGHBOURHOOD, "within 700 m of 47.38° N, 8.54° E"),
        (Precision.TOWN, "within 7 km of 47.4° N, 8.6° E"),
    ],
)
def test_a_place_is_told_and_drawn_to_its_precision(browser, stage, precision, says):
    page = page_of(browser, stage.bubble(place=snap(47.376908, 8.541694, precision, PlaceRole.RECORDED)))
    assert says in folded(page.text)
    assert [label for label in page.all("svg", "aria-label") if says in folded(label)]


def test_a_bubble_without_title_and_place_has_a_page(browser, stage):
    page = page_of(browser, stage.bubble(title="", place=None, peaks=None, language=None))
    assert "Bubble by channel" in page.text
    assert "Recorded" not in page.text


@pytest.mark.parametrize(
    ("extension", "media_type"),
    [("vtt", "text/vtt"), ("srt", "application/x-subrip"), ("txt", "text/plain"), ("json", "application/json")],
)
def test_the_words_come_as_files_for_any_site(browser, stage, extension, media_type):
    response = browser.get(f"/b/{stage.bubble().code}.{extension}")
    assert response.headers["content-type"].split(";")[0] == media_type
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cache-control"] == "no-cache"
    assert "Fresh lemons" in response.text


def test_the_files_are_what_was_said(browser, stage):
    code = stage.bubble().code
    cues = parse_vtt(browser.get(f"/b/{code}.vtt").text)
    assert [(cue.start_s, cue.text, cue.unsure) for cue in cues] == [(w.start_s, w.text, w.unsure) for w in WORDS]
    told = browser.get(f"/b/{code}.json").json()
    assert (told["state"], len(told["cues"])) == ("done", 3)


def test_an_unknown_format_and_words_that_are_not_there_are_404(browser, stage):
    waiting = stage.bubble(words=None)
    assert browser.get(f"/b/{stage.bubble().code}.exe").status_code == 404
    assert browser.get(f"/b/{waiting.code}.vtt").status_code == 404
    assert browser.get(f"/b/{waiting.code}.json").json()["state"] == "waiting"
    assert browser.get(f"/b/{stage.bubble(visibility='private').code}.vtt").status_code == 404
