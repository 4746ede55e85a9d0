"""The player as people meet it: on a bubble's page, in lists, and in other people's pages."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_privacy import KEPT, NOTHING
from tests.browser.visitor import DESKTOP, Visitor

MAIN = "document.querySelector('bubble-player[main]')"
SOUND = "document.querySelector('bubble-player audio')"
OVERHEAR = """
  window.told = [];
  const really = window.fetch.bind(window);
  window.fetch = (address, asked) => {
    if (asked?.method === "POST") window.told.push(JSON.parse(asked.body));
    return really(address, asked);
  };
  navigator.sendBeacon = (address, body) => {
    body.text().then((text) => window.left = JSON.parse(text));
    return true;
  };
"""
LEAP = f"""() => new Promise((left) => {SOUND}.addEventListener('timeupdate', () => {{
  left({SOUND}.currentTime);
  {MAIN}.moveTo({MAIN}.duration_s - 1.5);
}}, {{ once: true }}))"""
"""To a second and a half before the end, once the browser has said where the sound is; where it was until then."""

REPORTED_EVERY_S = 0.5
"""A browser says where the sound is about four times a second."""

HOLD_THE_KEYS = "window.keys = {}; MediaSession.prototype.setActionHandler = (key, does) => { keys[key] = does; };"
FRAMED = "(src) => document.body.append(Object.assign(document.createElement('iframe'), { src, width: 400 }))"


def opened(visitor: Visitor, address: str) -> Visitor:
    visitor.page.goto(address)
    visitor.page.locator("bubble-player[enhanced]").first.wait_for()
    return visitor


def play(visitor: Visitor) -> None:
    visitor.page.locator("bubble-player .play").first.click()
    visitor.until(f"{SOUND}.currentTime > 0.2")


def heard_s(told: dict[str, Any]) -> float:
    return sum(end - start for start, end in told["heard"])


def test_the_waveform_stands_before_any_sound_is_fetched(visit, stage):
    visitor = opened(visit(), f"/b/{stage.code}#t=1.5")
    visitor.page.wait_for_load_state("networkidle")
    assert visitor.page.locator(".waveform path").first.bounding_box()["width"] > 200
    assert visitor.page.locator("bubble-player input").input_value() == "1"
    assert visitor.requested("/media/") == []
    play(visitor)
    assert visitor.page.evaluate(f"{SOUND}.currentTime") >= 1.5
    visitor.seen(lambda: visitor.requested("/media/"))


def test_a_line_is_heard_by_a_click_and_lit_while_it_is_said(visit, stage):
    visitor = opened(visit(kind=DESKTOP), f"/b/{stage.code}")
    cue = stage.told[0]["transcript"]["cues"][-1]
    line = visitor.page.locator("#words li").last
    line.locator("span").first.click()
    visitor.until(f"(start_s) => {MAIN}.playing && {MAIN}.at_s >= start_s", arg=cue["start_s"])
    visitor.until("document.querySelector('#words li:last-child').ariaCurrent === 'true'")
    assert "#t=" in visitor.page.url
    visitor.page.evaluate(f"{MAIN}.moveTo({MAIN}.duration_s)")
    visitor.until("document.querySelector('#words [aria-current]') === null")


def test_keys_work_the_player_that_has_the_focus(visit, stage):
    visitor = opened(visit(kind=DESKTOP), f"/b/{stage.code}")
    keyboard = visitor.page.keyboard
    visitor.page.locator("bubble-player .play").focus()
    length_s = stage.told[0]["duration_s"]
    keyboard.press("5")
    assert visitor.page.evaluate(f"{MAIN}.at_s") == pytest.approx(length_s / 2, abs=0.01)
    keyboard.press("j")
    assert visitor.page.evaluate(f"{MAIN}.at_s") == pytest.approx(max(length_s / 2 - 10, 0), abs=0.01)
    keyboard.press(">")
    assert visitor.page.locator("bubble-player select").input_value() == "1.25"
    keyboard.press("k")
    visitor.until(f"{MAIN}.playing && {SOUND}.playbackRate === 1.25")
    keyboard.press("k")
    visitor.until(f"!{MAIN}.playing")
    visitor.page.locator("share-panel input").focus()
    keyboard.press("k")
    assert visitor.page.evaluate(f"{MAIN}.playing") is False


def test_one_player_plays_at_a_time(visit, stage):
    visitor = opened(visit(kind=DESKTOP), "/search?q=")
    buttons = visitor.page.locator("bubble-player .play")
    playing = "[...document.querySelectorAll('bubble-player')].map(({ playing }) => playing)"
    buttons.nth(0).click()
    visitor.until(f"{playing}[0]")
    buttons.nth(1).click()
    visitor.until(f"{playing}[1]")
    visitor.until(f"{playing}.filter((each) => each).length === 1")


def test_the_lock_screen_knows_what_plays(visit, stage):
    visitor = opened(visit(), f"/b/{stage.code}")
    assert visitor.page.evaluate("navigator.mediaSession.metadata") is None
    play(visitor)
    told = visitor.page.evaluate("(({ title, artist }) => ({ title, artist }))(navigator.mediaSession.metadata)")
    assert told == {"title": stage.told[0]["title"], "artist": stage.told[0]["channel"]["title"]}
    visitor.until("navigator.mediaSession.playbackState === 'playing'")
    visitor.page.locator("bubble-player .play").first.click()
    visitor.until("navigator.mediaSession.playbackState === 'paused'")


def test_the_lock_screen_works_the_player(visit, stage):
    visitor = visit()
    visitor.page.add_init_script(HOLD_THE_KEYS)
    opened(visitor, f"/b/{stage.code}")
    play(visitor)
    visitor.page.evaluate("keys.pause()")
    visitor.until(f"!{MAIN}.playing")
    visitor.page.evaluate("keys.seekto({ seekTime: 2.5 })")
    assert visitor.page.evaluate(f"{MAIN}.at_s") == 2.5
    visitor.page.evaluate("keys.seekbackward({ seekOffset: 1 }), keys.seekforward({ seekOffset: 0.5 })")
    assert visitor.page.evaluate(f"{MAIN}.at_s") == 2
    visitor.page.evaluate("keys.play()")
    visitor.until(f"{MAIN}.playing && {MAIN}.at_s > 2")


def test_the_beacon_tells_the_seconds_that_were_heard(visit, stage):
    visitor = visit()
    visitor.page.add_init_script(OVERHEAR)
    opened(visitor, f"/b/{stage.code}")
    play(visitor)
    visitor.until("window.told.length > 0")
    assert visitor.page.evaluate("window.told[0].heard") == []
    visitor.until(f"{SOUND}.currentTime > 1.6")
    left_s = visitor.page.evaluate(LEAP)
    visitor.until(f"{SOUND}.ended")
    told = visitor.until("window.told.length > 1 && window.told.at(-1)")
    first, last = told["heard"][0], told["heard"][-1]
    assert told["code"] == stage.code
    assert first[0] < 0.5
    assert left_s - REPORTED_EVERY_S <= first[1] <= left_s + 0.01  # told in hundredths
    assert last[0] > left_s
    assert left_s - first[0] + 1.5 - 3 * REPORTED_EVERY_S <= heard_s(told) <= left_s + 1.5 + 0.1


def test_a_page_that_goes_tells_first_what_was_heard(visit, stage):
    visitor = visit()
    visitor.page.add_init_script(OVERHEAR)
    opened(visitor, f"/b/{stage.code}")
    play(visitor)
    visitor.page.evaluate("dispatchEvent(new Event('pagehide'))")
    left = visitor.until("window.told[0] && window.left")
    assert left["play"] == visitor.page.evaluate("window.told[0].play")
    assert heard_s(left) > 0.1


def test_a_sound_that_does_not_come_is_told_and_tried_again(visit, stage):
    visitor = opened(visit(locale="fr", allowed=["ERR_FAILED"]), f"/b/{stage.code}")
    visitor.page.route("**/media/**", lambda route: route.abort())
    visitor.page.locator("bubble-player .play").click()
    visitor.page.get_by_text("Le son n’est pas arrivé").wait_for()
    visitor.page.unroute("**/media/**")
    visitor.page.get_by_role("button", name="Écouter").click()
    visitor.until(f"{SOUND}.currentTime > 0.2")
    expect(visitor.page.get_by_text("Le son n’est pas arrivé")).to_have_count(0)


def test_the_embed_in_another_page_plays_and_asks_nothing_but_its_own_house(visit, stage):
    visitor = visit(allowed=["favicon"])
    blog = stage.service.url + "/robots.txt"  # 127.0.0.1 is another site than localhost
    visitor.page.goto(blog)
    visitor.page.evaluate(FRAMED, f"{stage.origin}/b/{stage.code}/embed")
    frame = visitor.page.frame_locator("iframe")
    with visitor.page.expect_request("**/api/listens"):
        frame.get_by_role("button", name="Play").click()
    assert visitor.requested("/me$") == []
    assert set(visitor.strays(stage.origin)) <= {blog, stage.service.url + "/favicon.ico"}


def test_the_embed_keeps_nothing_and_counts_without_a_cookie(visit, stage):
    visitor = visit()
    visitor.context.add_cookies([{"name": "bubbles_language", "value": "fr", "url": stage.origin, "httpOnly": True}])
    opened(visitor, f"/b/{stage.code}/embed")
    assert visitor.page.locator("html").get_attribute("lang") == "en"
    with visitor.page.expect_request("**/api/listens") as told:
        play(visitor)
    assert "cookie" not in told.value.all_headers()
    assert visitor.page.evaluate(KEPT) == NOTHING


def test_the_link_is_copied_and_the_system_may_share_it(visit, stage):
    visitor = visit(permissions=["clipboard-read", "clipboard-write"])
    visitor.page.add_init_script("navigator.share = async (what) => { window.shared = what; };")
    opened(visitor, f"/b/{stage.code}")
    panel = visitor.page.locator("share-panel")
    panel.get_by_role("button", name="Copy").first.click()
    panel.get_by_role("button", name="Copied").wait_for()
    url = stage.told[0]["url"]
    assert visitor.page.evaluate("navigator.clipboard.readText()") == url
    panel.get_by_role("button", name="Share…").click()
    assert visitor.until("window.shared") == {"title": stage.told[0]["title"], "url": url}
    assert visitor.requested("qr.svg") == []
    panel.get_by_text("QR code").click()
    visitor.until("document.querySelector('.qr img').naturalWidth > 100")
