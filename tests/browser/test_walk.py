"""The walk: what leaves the browser, what is heard in which order, and what is left where nothing is near."""

import math
import re
import struct
import wave
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from bubbles.model.place import PlaceRole, Precision, snap
from tests.browser.stage import Stage
from tests.browser.visitor import DESKTOP, Visitor
from tests.conftest import Speech

HERE = (12.345678, 45.678912)
"""Nothing else lies here. The finer digits are what must not leave."""

NORTH_M = 1 / 111_195
"""Of a degree of latitude."""

HOLD = """{
  window.held = true;
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function () {
    window.sound = this;
    this.playbackRate = held ? 1 / 16 : 1;
    return play.call(this);
  };
}"""
LET_GO = "held = false, sound.playbackRate = 1"
"""Until then a voice takes as long as a browser lets it: the test may take its time for what it does meanwhile."""

LISTEN = """() => {
  window.titles = [];
  const title = document.querySelector("[data-title]");
  const look = () => void (title.textContent && titles.at(-1) !== title.textContent && titles.push(title.textContent));
  new MutationObserver(look).observe(title, { subtree: true, childList: true, characterData: true });
}"""
"""Which titles are shown one after the other: one may be gone before anybody looks."""


@pytest.fixture(scope="module")
def street(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Four short voices along a street to the north, each told exactly: `street[0]` is the nearest to `HERE`."""
    token, folder = stage.token(), tmp_path_factory.mktemp("street")
    made = []
    for number, metres in enumerate((90, 170, 800, 900)):
        place = {"latitude": str(HERE[0] + metres * NORTH_M), "longitude": str(HERE[1]), "precision": "exact"}
        speech = short(folder / f"{number}.wav", number)
        made.append(stage.publish(speech, token, title=f"Voice {number}", language="en", **place)["code"])
    for code in made:
        stage.ready(code)
    return made


def short(path, number: int) -> Speech:
    """A second and a half of a tone of its own."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", "none"))
        tone = (int(9_000 * math.sin(2 * math.pi * (300 + 90 * number) * at / 16_000)) for at in range(24_000))
        file.writeframes(b"".join(struct.pack("<h", value) for value in tone))
    return Speech(path, "", "en")


def centre(at: tuple[float, float], precision: Precision) -> tuple[float, float]:
    place = snap(*at, precision, PlaceRole.RECORDED)
    assert place is not None
    return place.latitude, place.longitude


def started(visit: Callable[..., Visitor], *, hold: bool = False, **wishes: Any) -> Visitor:
    visitor = visit(**wishes)
    if hold:
        visitor.page.add_init_script(HOLD)
    visitor.page.goto("/walk")
    visitor.page.evaluate(LISTEN)
    visitor.page.get_by_role("button", name="Start walking").click()
    return visitor


def title(visitor: Visitor) -> Any:
    return visitor.page.locator("[data-title]")


def heard(visitor: Visitor, least: int) -> list[str]:
    """The codes of the sounds fetched, in order, each once, when `least` were: titles change before."""
    return visitor.seen(lambda: (codes := _fetched(visitor))[least - 1 :] and codes)


def _fetched(visitor: Visitor) -> list[str]:
    return list(dict.fromkeys(re.findall(r"/media/([\w-]+)\.", " ".join(each.url for each in visitor.requests))))


def called(visitor: Visitor, *voices: int) -> None:
    """Waits until the voices of these numbers were shown, one after the other."""
    visitor.until("(wanted) => titles.join().startsWith(wanted)", ",".join(f"Voice {number}" for number in voices))


def nears(visitor: Visitor) -> list[str]:
    """The places asked around, in order."""
    return [parse_qs(urlsplit(each.url).query)["near"][0] for each in visitor.requested(r"/api/bubbles\?.*near=")]


def test_the_nearest_plays_first_and_then_the_next(visit, street, stage):
    visitor = started(visit, at=HERE, hold=True)
    expect(title(visitor)).to_have_text("Voice 0")
    expect(visitor.page.locator("[data-status]")).to_contain_text("2 voices within 200")
    visitor.page.evaluate(LET_GO)
    called(visitor, 0, 1, 2)  # the last from further away, once all that is near was heard
    assert heard(visitor, 3)[:3] == street[:3]
    assert visitor.strays(stage.origin) == []


def test_only_the_centre_of_the_cell_leaves_the_browser(visit, street):
    visitor = started(visit, at=HERE)
    expect(title(visitor)).to_have_text("Voice 0")
    latitude, longitude = centre(HERE, Precision.STREET)
    assert set(nears(visitor)) == {f"{latitude},{longitude}"}
    sent = " ".join(f"{each.url} {each.post_data or ''}" for each in visitor.requests)
    assert "12.3456" not in sent
    assert "45.6789" not in sent


def test_nothing_tells_who_walks(visit, street):
    visitor = visit(at=HERE)
    visitor.page.goto("/walk")
    visitor.context.add_cookies([{"name": "bubbles_session", "value": "s" * 43, "url": visitor.page.url}])
    visitor.page.get_by_role("button", name="Start walking").click()
    expect(title(visitor)).to_have_text("Voice 0")
    asked = visitor.requested(r"/api/bubbles\?.*near=")
    assert asked
    assert not any("cookie" in each.all_headers() for each in asked)


def test_moving_sorts_what_comes_anew_and_repeats_nothing(visit, street):
    visitor = started(visit, at=HERE, hold=True)
    expect(title(visitor)).to_have_text("Voice 0")
    with visitor.page.expect_response(re.compile(r"/api/bubbles\?.*near=")) as answered:
        visitor.context.set_geolocation({"latitude": HERE[0] + 905 * NORTH_M, "longitude": HERE[1]})
    answered.value.finished()
    visitor.page.evaluate(LET_GO)
    called(visitor, 0, 3, 2, 1)
    assert heard(visitor, 4)[:4] == [street[0], street[3], street[2], street[1]]


def test_one_can_skip_go_back_and_pause(visit, street):
    visitor = started(visit, at=HERE, kind=DESKTOP, hold=True)
    page = visitor.page
    expect(title(visitor)).to_have_text("Voice 0")
    page.get_by_role("button", name="Next bubble").click()
    expect(title(visitor)).to_have_text("Voice 1")
    page.get_by_role("button", name="Previous bubble").click()
    expect(title(visitor)).to_have_text("Voice 0")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
    page.evaluate(LET_GO)
    page.get_by_role("button", name="Go on").click()
    expect(title(visitor)).to_have_text("Voice 1")


def test_far_from_all_the_nearest_is_told_with_its_distance(visit, street):
    visitor = started(visit, at=(HERE[0] - 1, HERE[1]))
    expect(visitor.page.locator("[data-status]")).to_contain_text(
        "Nothing near. The nearest voice is 110 km away, to the north"
    )
    expect(title(visitor)).to_have_text("Voice 0")


def test_who_says_not_where_they_are_hears_the_newest(visit, stage, street):
    visitor = started(visit)
    expect(visitor.page.locator("[data-status]")).to_contain_text("The browser may not tell where you are")
    expect(title(visitor)).to_have_text("Voice 3")
    assert visitor.requested("near=") == []


def test_without_a_script_the_newest_are_there(visit, stage):
    page = visit(java_script_enabled=False).page
    page.goto("/walk")
    assert "Walking needs JavaScript" in page.locator("noscript").inner_html()
    expect(page.get_by_role("button", name="Start walking")).to_be_hidden()
    expect(page.locator("audio").first).to_be_visible()


def test_from_a_place_chosen_by_name_a_way_leads_back(visit, street):
    visitor = started(visit, at=HERE)
    expect(title(visitor)).to_have_text("Voice 0")
    back = visitor.page.get_by_role("button", name="Walk where I am")
    expect(back).to_be_hidden()
    visitor.page.get_by_role("combobox", name="Go to a place").fill("Lyon")
    visitor.page.get_by_role("option").first.click()
    expect(back).to_be_visible()
    back.click()
    expect(back).to_be_hidden()
    asked = visitor.seen(lambda: len(set(asked := nears(visitor))) > 1 and asked[-1] == asked[0] and asked)
    assert len(set(asked)) == 2
