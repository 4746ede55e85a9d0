"""Texts that have broken pages elsewhere, in every place where a text appears: they stay texts."""

import json
import re
from urllib.parse import quote, urlencode

import pytest

from bubbles.db import towns
from tests.http.hostile import HOSTILE, PARAMETERS, PLACES, PLAIN, Page, columns, folded, parsed
from tests.speech.vtt_reading import parse_vtt
from tests.towns import write

NUL = "\x00"
ADDRESSED = {**HOSTILE, "nul": NUL, "bytes": "%fe%ff", "half a pair": "\ud800"}
each_text = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
each_address = pytest.mark.parametrize("text", ADDRESSED.values(), ids=ADDRESSED.keys())

plain_skeletons: dict[str, list[list[tuple[str, ...]]]] = {}
"""What the pages of plain text are made of, by place: the same for every text."""


def pages_with(browser, stage, place: str, text: str) -> list[Page]:
    """The pages where a bubble with the text appears: its own, its channel's, the search of its channel."""
    channel, owner = stage.world.channel()
    if place == "channel title":
        stage.titled(channel, text)
    held = {"held_at": stage.house.now()} if place == "reason" else {}
    bubble = stage.bubble(channel=channel, **columns(place, text), **held)
    paths = [f"/b/{bubble.code}", f"/@{channel.handle}", f"/search?channel={channel.handle}"]
    answers = [browser.get(path, headers=owner) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    return [parsed(answer.text) for answer in answers]


@each_text
def test_it_changes_no_page_wherever_it_stands_in_a_bubble(browser, stage, text):
    for place in PLACES:
        hostile = pages_with(browser, stage, place, text)
        if place not in plain_skeletons:
            plain_skeletons[place] = [page.skeleton for page in pages_with(browser, stage, place, PLAIN)]
        assert [page.skeleton for page in hostile] == plain_skeletons[place], place
        assert folded(text) in folded(hostile[0].text), place


@each_text
def test_it_changes_no_linked_data(browser, stage, text):
    html = browser.get(f"/b/{stage.bubble(**columns('sure words', text)).code}").text
    script = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    assert script is not None
    assert json.loads(script[1])["transcript"] == f"{text} {PLAIN}"
    assert not set("<>&\u2028\u2029") & set(script[1])


@each_text
def test_it_makes_no_cue_of_its_own(browser, stage, text):
    path = f"/b/{stage.bubble(**columns('sure words', text)).code}"
    cues = parse_vtt(browser.get(f"{path}.vtt").text)
    assert [(cue.start_s, cue.end_s) for cue in cues] in ([(0, 2), (2, 4)], [(2, 4)])
    timings = re.findall(r"^[\d:,]+ --> [\d:,]+$", browser.get(f"{path}.srt").text, re.M)
    assert len(timings) == len(cues)
    assert browser.get(f"{path}.json").json()["cues"][0]["text"] == text


@each_address
def test_it_stays_a_value_in_a_search(browser, world, house, tmp_path, text):
    towns.load(house.database, write(tmp_path / "places.tsv"))
    channel, _ = world.channel()
    known = {entry[0] for entry in parsed(browser.get("/search?q=a&tag=b&near=1").text).skeleton}
    for name in PARAMETERS:
        asked = {name: text} | ({} if name == "channel" else {"channel": channel.handle})
        answer = browser.get(f"/search?{urlencode(asked, errors='surrogatepass')}")
        page = parsed(answer.text)
        assert answer.status_code in {200, 400, 422}, name
        assert {entry[0] for entry in page.skeleton} <= known, name
        assert not [value for value in page.values if value[1].startswith("on")], name


@pytest.mark.parametrize("path", ["/@{}", "/b/{}", "/b/{}.vtt", "/sign-in/{}", "/nothing/{}"])
def test_it_is_the_address_of_nothing(browser, path):
    known = {entry[0] for entry in parsed(browser.get(path.format("plain")).text).skeleton} | {"p", "/p"}
    for name, text in ADDRESSED.items() - {"nul": NUL}.items():
        answer = browser.get(path.format(quote(text, safe="", errors="surrogatepass")))
        assert answer.status_code == 404, name
        assert {entry[0] for entry in parsed(answer.text).skeleton} <= known, name


@pytest.mark.parametrize("path", ["/@%00", "/b/%00", "/b/%00.vtt"])
def test_nul_in_a_path_is_the_address_of_nothing(browser, path):
    assert browser.get(path).status_code == 404
