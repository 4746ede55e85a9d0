"""The recorder where the microphone, the screen or the room plays tricks: nothing that was said is lost."""

import math
import struct
import wave
from pathlib import Path

import pytest
from playwright.sync_api import expect

from bubbles.audio.sandbox import PCM_RATE_HZ
from tests.browser.recording import Recorder, duration_s
from tests.browser.spoken import recorded
from tests.browser.visitor import DESKTOP

MICROPHONE = ["microphone"]
OVERSEE = """
  window.told = [];
  navigator.wakeLock.request = async (kind) => {
    told.push(`${kind} kept awake`);
    return { release: async () => void told.push("released") };
  };
  navigator.storage.persist = async () => told.push("storage asked") > 0;
"""
FAIL_ONCE = """
  const really = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    navigator.mediaDevices.getUserMedia = really;
    throw new DOMException("as this test wishes", "NAME");
  };
"""
HOLD_THE_TRACK = """
  const really = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await really(wish);
    window.track = stream.getAudioTracks()[0];
    return stream;
  };
"""
WATCH = """() => {
  const deck = document.querySelector("[data-deck]");
  window.seen ??= { level: [], width: new Set(), ring: new Set(), newest: new Set() };
  window.seen.level.push(Number(deck.style.getPropertyValue("--level")));
  window.seen.width.add(Math.round(deck.querySelector(".level-bar").getBoundingClientRect().width));
  window.seen.ring.add(getComputedStyle(deck.querySelector(".rec-key")).boxShadow);
  window.seen.newest.add(deck.querySelector("[data-strip] .now").getAttribute("d"));
  const said = deck.querySelector("[data-strip] .said").getAttribute("d");
  const moves = Math.max(...seen.level) - Math.min(...seen.level) > 0.2 && seen.width.size > 3 && seen.newest.size > 3;
  return moves && /M1\\.5/.test(said) && { rings: seen.ring.size };
}"""
"""What moves while a take is recorded, once the level and the waveform have."""


@pytest.fixture
def author(recorder_of):
    """The recorder of someone who is signed in, with a script that comes before the page's own."""
    return lambda before="", **wishes: recorder_of(before=before, permissions=MICROPHONE, **wishes)


def test_the_screen_stays_on_while_a_take_is_recorded_and_its_storage_is_asked_for(author):
    recorder = author(OVERSEE)
    assert recorder.page.evaluate("told") == []
    recorder.start()
    recorder.visitor.until("told.length === 2")
    assert recorder.page.evaluate("told") == ["storage asked", "screen kept awake"]
    recorder.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when a page comes back
    recorder.visitor.until("told.length === 3 && told[2] === 'screen kept awake'")
    recorder.stop()
    assert recorder.page.evaluate("told[3]") == "released"
    recorder.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert recorder.page.evaluate("told.length") == 4


@pytest.mark.parametrize(
    ("error", "told"),
    [("NotFoundError", "No microphone was found"), ("NotReadableError", "another program may be holding it")],
    ids=["missing", "busy"],
)
def test_a_microphone_that_does_not_come_is_told_and_asked_again(author, error, told):
    recorder = author(FAIL_ONCE.replace("NAME", error))
    recorder.page.locator("[data-rec]").click()
    recorder.notice(told)
    assert recorder.page.locator("[data-deck]").get_attribute("data-state") == "idle"
    recorder.take(1)
    expect(recorder.page.locator("[data-notice]")).to_have_text("")


@pytest.mark.parametrize("gone", ["track.dispatchEvent(new Event('ended'))", "track.stop()"], ids=["told", "untold"])
def test_a_microphone_that_is_pulled_out_ends_the_take_which_is_heard_and_published(author, tmp_path, gone):
    recorder = author(HOLD_THE_TRACK)
    recorder.start()
    recorder.until(2)
    recorder.page.evaluate(gone)
    recorder.reviewed()
    expect(recorder.page.locator("[data-announce]")).to_contain_text("The microphone is gone")
    assert duration_s(recorder.kept()["sound"], tmp_path) > 1
    recorder.page.get_by_role("button", name="Listen").click()
    recorder.visitor.until("parseFloat(document.querySelector('[data-review]').style.getPropertyValue('--at')) > 0.1")
    recorder.publish("Cut short")
    assert recorder.code()


def test_a_call_pauses_the_take_and_it_goes_on(author):
    recorder = author(HOLD_THE_TRACK)
    recorder.start()
    recorder.until(1)
    recorder.page.evaluate("track.dispatchEvent(new Event('mute'))")
    recorder.page.locator("[data-deck][data-state=paused]").wait_for()
    recorder.notice("Something else took the microphone")
    recorder.page.get_by_role("button", name="Go on").click()
    recorder.page.locator("[data-deck][data-state=recording]").wait_for()
    recorder.until(2)
    recorder.stop()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_level_and_waveform_move_with_the_voice_and_the_ring_only_where_motion_is_welcome(
    visit, quiet, browser_hearing, spoken, motion
):
    hears = browser_hearing(spoken(length_s=30).path)
    visitor = visit(browser=hears, permissions=MICROPHONE, origin=quiet.origin, reduced_motion=motion)
    recorder = Recorder(visitor).open()
    recorder.start()
    moved = visitor.until(WATCH)
    assert (moved["rings"] > 1) == (motion != "reduce")
    assert recorder.page.evaluate("document.getAnimations().length") == 0
    recorder.stop()


def tone(path: Path, *, gain: float, length_s: float = 20) -> Path:
    """A WAV of an even tone; with a gain above 1 its crests are cut off."""
    crests = (gain * math.sin(2 * math.pi * 220 * at / PCM_RATE_HZ) for at in range(PCM_RATE_HZ))
    second = b"".join(struct.pack("<h", round(32767 * min(max(crest, -1), 1))) for crest in crests)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, PCM_RATE_HZ, 0, "NONE", "none"))
        file.writeframes(second * round(length_s))
    return path


@pytest.mark.parametrize("gain", [3.0, 0.5], ids=["too loud", "loud"])
def test_what_is_too_loud_is_told_while_it_can_be_helped_and_again_before_it_is_sent(
    visit, quiet, browser_hearing, tmp_path, gain
):
    hears = browser_hearing(tone(tmp_path / "tone.wav", gain=gain))
    recorder = Recorder(visit(browser=hears, permissions=MICROPHONE, origin=quiet.origin)).open()
    recorder.start()
    recorder.until(2)
    live = recorder.page.locator("[data-fault]")
    expect(live).to_have_text(
        "Too loud: the sound is being cut off. Hold the microphone farther away." if gain > 1 else ""
    )
    recorder.stop()
    faults = recorder.page.locator("[data-faults]")
    expect(faults).to_have_text("Parts are too loud and cut off. Listen before you publish." if gain > 1 else "")


def test_a_file_that_is_dropped_becomes_a_take_and_is_published(author, tmp_path):
    recorder = author(kind=DESKTOP)
    sound = recorded(tmp_path).path
    zone = recorder.page.locator("[data-drop]")
    zone.scroll_into_view_if_needed()
    box = zone.bounding_box()
    assert box
    hand = recorder.visitor.context.new_cdp_session(recorder.page)
    held = {"items": [], "files": [str(sound)], "dragOperationsMask": 1}
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind in ("dragEnter", "dragOver"):
        hand.send("Input.dispatchDragEvent", {"type": kind, "data": held, **at})
    expect(zone).to_have_attribute("data-over", "")
    hand.send("Input.dispatchDragEvent", {"type": "drop", "data": held, **at})
    recorder.reviewed()
    expect(zone).not_to_have_attribute("data-over", "")
    assert recorder.kept()["sound"] == sound.read_bytes()
    recorder.publish("From a folder")
    assert recorder.code()


def test_while_the_microphone_is_open_no_other_take_and_no_file_takes_its_place(author, tmp_path):
    recorder = author().bring(recorded(tmp_path).path)
    page = recorder.page
    page.get_by_role("button", name="Put aside").click()
    shelf, deck = page.locator("[data-shelf]"), page.locator("[data-deck]")
    expect(shelf).to_be_visible()
    recorder.start()
    for other in (shelf, page.locator("[data-bring]")):
        expect(other).not_to_be_visible()
    page.evaluate("document.querySelector('[data-wish=open]').click()")
    page.get_by_label("Choose a file").set_input_files(recorded(tmp_path, 1).path)
    expect(page.locator(".take")).to_have_count(2)
    expect(deck).to_have_attribute("data-state", "recording")
    expect(deck).to_be_visible()
    recorder.stop()
    expect(shelf).to_be_visible()
    assert [take["stage"] for take in recorder.kept()["takes"]] == ["draft"] * 3


def type_and_at_once(recorder: Recorder, then: str) -> None:
    """Types a title, and clicks before the page would have kept it by itself."""
    typed = "const field = document.querySelector('[data-field=title]'); field.value = 'The last words';"
    told = "field.dispatchEvent(new Event('input', { bubbles: true }));"
    recorder.page.evaluate(f"(then) => {{ {typed} {told} document.querySelector(then).click(); }}", then)


@pytest.mark.parametrize("then", ["[data-aside]", "[data-wish=open]"], ids=["put aside", "another opened"])
def test_the_last_words_typed_stay_with_the_take_that_is_left(author, tmp_path, then):
    recorder = author().bring(recorded(tmp_path).path)
    recorder.page.get_by_role("button", name="Put aside").click()
    recorder.bring(recorded(tmp_path, 1).path)
    type_and_at_once(recorder, then)
    expect(recorder.page.locator("[data-name]").filter(has_text="The last words")).to_have_count(1)
    expect(recorder.page.locator("[data-name]")).to_have_count(2 if then == "[data-aside]" else 1)


def test_the_last_words_typed_are_kept_where_a_silent_take_is_not_sent(author, tmp_path):
    recorder = author().bring(tone(tmp_path / "silence.wav", gain=0, length_s=2))
    type_and_at_once(recorder, ".publish button")
    recorder.page.get_by_role("button", name="Keep it").click()
    assert [take["fields"]["title"] for take in recorder.kept()["takes"]] == ["The last words"]


def test_a_take_is_heard_as_often_as_one_likes(author, tmp_path):
    recorder = author().bring(recorded(tmp_path).path)
    for _ in range(2):
        recorder.page.get_by_role("button", name="Listen").click()
        recorder.visitor.until(
            "parseFloat(document.querySelector('[data-review]').style.getPropertyValue('--at')) > 0.1"
        )
        recorder.page.get_by_role("button", name="Stop listening").click()


def test_the_focus_stays_in_the_outbox_when_a_take_is_thrown_away(author, tmp_path):
    recorder = author()
    page = recorder.page
    for number in range(2):
        recorder.bring(recorded(tmp_path, number).path)
        page.get_by_role("button", name="Put aside").click()
        expect(page.locator(".take")).to_have_count(number + 1)
    for left in (page.get_by_role("heading", name="Outbox"), page.locator("[data-rec]")):
        page.locator(".take").get_by_role("button", name="Throw away").first.click()
        page.locator("dialog").get_by_role("button", name="Throw away").click()
        expect(left).to_be_focused()
