"""Recording: what is heard is what was said, and a take that was made is published once."""

import math
import re
from pathlib import Path
from time import monotonic

import pytest

from tests.browser.axe import violations
from tests.browser.chromium import flags as command_line
from tests.browser.chromium import found
from tests.browser.recording import Recorder, duration_s, energy
from tests.browser.spoken import recorded
from tests.browser.stage import GENEROUS, Stage
from tests.browser.test_keyboard import tab_to
from tests.browser.visitor import DESKTOP
from tests.journey.service import running

MICROPHONE = ["microphone"]
LIMIT_S = 4
PAUSE_MS = 4_000


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """A service whose bubbles last four seconds at most."""
    settings = GENEROUS | {"DURATION_MAX_S": str(LIMIT_S), "WORKERS": "0"}
    with running(tmp_path_factory.mktemp("short"), **settings) as service:
        yield Stage(service)


def long_words(text: str) -> set[str]:
    """The words of five letters and more."""
    return set(re.findall(r"[a-z]{5,}", text.lower()))


def test_what_was_said_is_written_down_found_and_as_loud_as_it_was(signed_in, browser_hearing, spoken, stage, tmp_path):
    speech = spoken(0, lead_s=1.0, tail_s=4.0)
    recorder = Recorder(signed_in(browser=browser_hearing(speech.path), permissions=MICROPHONE)).open()
    said_s = duration_s(speech.path.read_bytes(), tmp_path) - 3
    recorder.take(math.ceil(said_s))
    (tmp_path / "kept").write_bytes(recorder.kept()["sound"])
    loss_db = 10 * math.log10(energy(tmp_path / "kept") / energy(speech.path))
    assert abs(loss_db) < 1
    recorder.publish("As it was said")
    code = recorder.code()
    recorder.page.locator("[data-step=transcribed][data-progress=done]").wait_for(timeout=120_000)
    said, written = (long_words(text) for text in (speech.text, stage.ready(code)["transcript"]["text"]))
    heard = said & written
    assert len(heard) >= 0.75 * len(said), said - written
    with stage.service.client() as client:
        answer = client.get("/api/bubbles", params={"q": " ".join(sorted(heard, key=len)[-2:])}).json()
    assert code in {item["code"] for item in answer["items"]}


def test_a_refused_microphone_says_how_to_allow_it(visit):
    recorder = Recorder(visit()).open()
    recorder.page.locator("[data-rec]").click()
    recorder.notice("The microphone was refused")
    assert recorder.page.evaluate("async () => (await indexedDB.databases()).length") == 0
    recorder.visitor.context.grant_permissions(MICROPHONE)
    recorder.notice("The microphone is allowed")
    recorder.take()


def test_looking_at_the_recorder_keeps_nothing(visit):
    recorder = Recorder(visit(permissions=MICROPHONE)).open()
    recorder.page.wait_for_load_state("networkidle")
    kept = recorder.page.evaluate("async () => [localStorage.length, (await indexedDB.databases()).length]")
    assert kept == [0, 0]


def test_the_take_stops_by_itself_at_the_limit_and_is_taken(recorder_of, short, tmp_path):
    recorder = recorder_of(of=short, permissions=MICROPHONE)
    recorder.start()
    recorder.reviewed()
    assert "Time is up" in recorder.page.locator("[data-announce]").text_content()
    assert LIMIT_S - 0.5 < duration_s(recorder.kept()["sound"], tmp_path) <= LIMIT_S + 0.5
    recorder.publish()
    assert recorder.code()


def test_the_last_ten_seconds_of_two_minutes_are_seen_felt_and_said(visit):
    recorder = Recorder(visit(permissions=MICROPHONE))
    felt = "navigator.vibrate = (pattern) => { (window.felt ??= []).push(pattern); return true; }"
    recorder.page.add_init_script(felt)
    recorder.page.clock.install()
    recorder.open()
    recorder.page.locator("[data-rec]").click()
    recorder.page.locator("[data-deck][data-state=recording]").wait_for()
    recorder.page.clock.pause_at(recorder.page.evaluate("Date.now()") / 1000 + 60)
    recorder.page.clock.run_for(30_000)
    seen = []
    while not recorder.page.locator("[data-deck][data-near]").count():
        seen.append(recorder.page.locator("[data-countdown]").text_content())
        assert recorder.page.evaluate("window.felt") is None
        recorder.page.clock.run_for(100)
    assert seen[-1] == "0:11"
    assert recorder.page.locator("[data-countdown]").text_content() == "0:10"
    assert recorder.page.locator("[data-announce]").text_content() == "10 seconds left."
    recorder.page.clock.run_for(2_000)
    assert recorder.page.evaluate("window.felt.length") == 1
    recorder.page.clock.resume()
    recorder.page.clock.fast_forward(9_000)
    recorder.page.locator("[data-review]:not([hidden])").wait_for()


def test_a_pause_is_no_part_of_the_take(visit, tmp_path):
    recorder = Recorder(visit(permissions=MICROPHONE)).open()
    began_s = monotonic()
    recorder.start()
    recorder.until(1)
    recorder.page.get_by_role("button", name="Pause").click()
    recorder.page.locator("[data-deck][data-state=paused]").wait_for()
    paused_s, shown = monotonic(), recorder.page.locator("[data-countdown]").text_content()
    recorder.page.wait_for_timeout(PAUSE_MS)  # what is not to be heard
    assert recorder.page.locator("[data-countdown]").text_content() == shown
    went_on_s = monotonic()
    recorder.page.get_by_role("button", name="Go on").click()
    recorder.until(2)
    recorder.stop()
    outside_s = monotonic() - began_s - (went_on_s - paused_s)
    assert duration_s(recorder.kept()["sound"], tmp_path) < outside_s


def test_a_page_out_of_sight_on_a_phone_pauses_the_take_and_never_ends_it(visit):
    recorder = Recorder(visit(permissions=MICROPHONE)).open()
    recorder.start()
    hide = "Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
    recorder.page.evaluate(f"() => {{ {hide} document.dispatchEvent(new Event('visibilitychange')); }}")
    recorder.page.locator("[data-deck][data-state=paused]").wait_for()
    recorder.notice("nothing is lost")
    recorder.page.get_by_role("button", name="Go on").click()
    recorder.page.locator("[data-deck][data-state=recording]").wait_for()
    recorder.stop()


def test_both_ends_can_be_cut_off_and_only_what_is_left_is_published(recorder_of, quiet, tmp_path):
    recorder = recorder_of(kind=DESKTOP).bring(recorded(tmp_path, 1).path)
    whole_s = duration_s(recorder.kept()["sound"], tmp_path)
    recorder.page.get_by_role("slider", name="Start of what is kept").fill("1")
    recorder.page.get_by_role("slider", name="End of what is kept").fill("3.5")
    recorder.publish("The middle")
    told = quiet.ready(recorder.code(), "processing")
    assert whole_s > 4
    assert told["duration_s"] == pytest.approx(2.5, abs=0.1)


def test_a_silent_take_says_so_before_it_is_sent(visit, browser_hearing, spoken):
    silence = spoken(0, lead_s=9.0)
    recorder = Recorder(visit(browser=browser_hearing(silence.path), permissions=MICROPHONE)).open()
    recorder.start()
    recorder.page.locator("[data-fault]").filter(has_text="We hear nothing").wait_for()
    recorder.stop()
    assert "Nothing can be heard" in recorder.page.locator("[data-faults]").text_content()
    recorder.page.locator(".publish button").click()
    recorder.page.get_by_role("button", name="Keep it").click()
    assert recorder.posts() == 0
    assert [take["stage"] for take in recorder.kept()["takes"]] == ["draft"]


def test_no_take_is_thrown_away_unasked(visit):
    recorder = Recorder(visit(permissions=MICROPHONE)).open().take()
    recorder.page.get_by_role("button", name="Record again").click()
    recorder.page.keyboard.press("Escape")
    assert len(recorder.kept()["takes"]) == 1
    recorder.page.get_by_role("button", name="Record again").click()
    recorder.page.get_by_role("button", name="Throw away").click()
    recorder.page.locator("[data-deck][data-state=recording]").wait_for()
    recorder.until(1)
    recorder.stop()
    assert len(recorder.kept()["takes"]) == 1


def test_what_will_not_pass_stays_with_its_reason(signed_in, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no sound at all " * 40)
    recorder = Recorder(signed_in(allowed=["415"])).open()
    recorder.page.get_by_label("Choose a file").set_input_files(path)
    recorder.page.locator("[data-faults]").filter(has_text="cannot play this file").wait_for()
    recorder.publish()
    recorder.card("This file holds no sound")
    assert [take["stage"] for take in recorder.kept()["takes"]] == ["stuck"]
    recorder.page.get_by_role("button", name="Throw away").first.click()
    recorder.page.locator("dialog").get_by_role("button", name="Throw away").click()
    recorder.page.locator("[data-shelf]").wait_for(state="hidden")


@pytest.mark.parametrize("way", ["Open this device's recorder", "Choose a file"])
def test_an_insecure_origin_offers_the_systems_own_recorder_and_files(playwright, stage, tmp_path, way):
    args = [*command_line(), "--host-resolver-rules=MAP phone.test 127.0.0.1"]
    browser = playwright.chromium.launch(executable_path=found(), args=args)
    try:
        page = browser.new_page()
        page.goto(f"{stage.origin.replace('localhost', 'phone.test')}/record")
        page.locator("[data-notice]").filter(has_text="HTTPS").wait_for()
        assert page.locator("[data-rec]").is_hidden()
        assert page.get_by_label("Open this device's recorder").get_attribute("capture") == "user"
        assert page.get_by_label("Choose a file").get_attribute("capture") is None
        page.get_by_label(way).set_input_files(recorded(tmp_path, 0).path)
        page.locator("[data-review]:not([hidden])").wait_for()
    finally:
        browser.close()


def test_the_take_can_be_downloaded_as_it_came(visit, tmp_path):
    recorder = Recorder(visit(permissions=MICROPHONE)).open().take()
    with recorder.page.expect_download() as download:
        recorder.page.get_by_role("button", name="Download").first.click()
    assert Path(download.value.path()).read_bytes() == recorder.kept()["sound"]
    assert download.value.suggested_filename.endswith(".webm")


def test_one_records_trims_and_publishes_by_keyboard_alone(recorder_of):
    recorder = recorder_of(kind=DESKTOP, permissions=MICROPHONE)
    page = recorder.page
    tab_to(page, "[data-rec]")
    page.keyboard.press("Enter")
    page.locator("[data-deck][data-state=recording]").wait_for()
    recorder.until(2)
    page.keyboard.press("Enter")
    recorder.reviewed()
    assert page.evaluate("document.activeElement.textContent") == "Your take"
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-trim-start]").input_value() == "0.05"
    tab_to(page, "[data-field=title]")
    page.keyboard.type("By hand")
    tab_to(page, ".publish button")
    page.keyboard.press("Enter")
    assert recorder.code()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong_on_the_way(recorder_of, theme):
    recorder = recorder_of(permissions=MICROPHONE, at=(45.764, 4.8357), theme=theme, locale="fr")
    recorder.start()
    recorder.until(1)
    found = violations(recorder.page)
    recorder.stop()
    recorder.page.locator("[data-here]").click()
    recorder.page.locator("[data-placed]:not([hidden])").wait_for()
    found += violations(recorder.page)
    recorder.publish("Au bord de l’eau")
    recorder.page.locator("share-panel input").first.wait_for()
    assert found + violations(recorder.page) == []
