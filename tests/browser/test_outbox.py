"""The outbox: whatever happens on the way, a take is there until it is acknowledged, and is published once."""

import os
import signal
from contextlib import contextmanager
from urllib.parse import unquote

import pytest

from bubbles.model.place import PlaceRole, Precision, snap
from tests.browser.pages import sign_in
from tests.browser.recording import Recorder, duration_s, listened_to, slow_upload
from tests.browser.spoken import recorded
from tests.browser.stage import GENEROUS, Stage
from tests.journey.service import free_port, running, wait_for

pytestmark = pytest.mark.once

MICROPHONE = ["microphone"]
BYTES_PER_S = 60_000
"""So slow that twenty seconds of plain sound take half a minute to leave."""

HERE = (48.858370, 2.294481)
FINE = (b"48.85837", b"48.8583", b"2.294481", b"2.2944")
"""The digits that say more than the middle of a cell."""

AXES = ("latitude", "longitude")


@pytest.fixture
def handle(quiet):
    return quiet.account()


@pytest.fixture
def author(recorder_of, handle):
    """The recorder of someone who is signed in, where what is sent stays in preparation."""
    return recorder_of(handle, permissions=MICROPHONE)


def published(stage, handle):
    """How many bubbles the account has, in whatever state."""
    with stage.service.client(stage.token(handle)) as client:
        return client.get(f"/@{handle}", headers={"Accept": "text/html"}).text.count('<article class="card"')


def wait_until_on_its_way(recorder):
    recorder.visitor.until("document.querySelector('.take progress:not([hidden])')?.value > 0", page=recorder.page)


def kill_pages(browser):
    """Ends the processes of all pages of a browser of ours, as the system does when memory runs out."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    for process in processes:
        if process["type"] == "renderer":
            os.kill(process["id"], signal.SIGKILL)


@contextmanager
def on_port(folder, port):
    """A service that comes back at the same address with the same data. What was cut short counts for ten seconds."""
    settings = GENEROUS | {"WORKERS": "0", "UPLOAD_TIMEOUT_S": "10", "PORT": port}
    with running(folder, **settings) as service:
        service.url = f"http://127.0.0.1:{port}"
        yield Stage(service)


def test_losing_the_network_in_mid_upload_costs_nothing(author, quiet, handle, spoken):
    author.bring(spoken(length_s=20).path)
    line = slow_upload(author.visitor, author.page, bytes_per_s=BYTES_PER_S)
    author.publish()
    wait_until_on_its_way(author)
    with author.visitor.offline():
        author.card("No connection.")
        assert author.kept()["pieces"] > 0
        line.detach()
    author.card("Published.")
    assert author.kept()["pieces"] == 0
    assert published(quiet, handle) == 1


def test_a_service_killed_in_mid_upload_publishes_once_when_it_is_back(recorder_of, spoken, tmp_path):
    port = str(free_port())
    with on_port(tmp_path, port) as stage:
        ours = stage.account()
        recorder = recorder_of(ours, of=stage, allowed=["ERR_", "409"]).bring(spoken(length_s=20).path)
        line = slow_upload(recorder.visitor, recorder.page, bytes_per_s=BYTES_PER_S)
        recorder.publish()
        wait_until_on_its_way(recorder)
        stage.service.process.send_signal(signal.SIGKILL)
        recorder.card("No connection.")
        line.detach()
    with on_port(tmp_path, port) as stage:
        recorder.card("Published.")
        assert published(stage, ours) == 1


def test_a_tab_closed_in_mid_upload_sends_from_the_next_one_and_once(author, quiet, handle, spoken):
    author.bring(spoken(length_s=20).path)
    slow_upload(author.visitor, author.page, bytes_per_s=BYTES_PER_S)
    author.publish()
    wait_until_on_its_way(author)
    author.page.close()
    assert published(quiet, handle) == 0
    again = Recorder(author.visitor, author.visitor.context.new_page()).open()
    again.card("Published.")
    assert again.kept()["pieces"] == 0
    assert published(quiet, handle) == 1


def test_a_tab_killed_while_recording_loses_two_seconds_at_most(author, tmp_path):
    author.start()
    author.until(5)
    with author.page.expect_event("crash"):
        kill_pages(author.visitor.context.browser)
    again = Recorder(author.visitor, author.visitor.context.new_page()).open()
    again.card("Not published yet.")
    assert duration_s(again.kept()["sound"], tmp_path) > 5 - 2
    again.page.get_by_role("button", name="Go on with it").click()
    again.reviewed()
    again.publish("What was left")
    assert again.code()


CLOSE_UNDERNEATH = """() => new Promise((closed) => {
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (...given) {
    IDBDatabase.prototype.transaction = transaction;
    this.close();
    closed();
    return transaction.apply(this, given);
  };
})"""
CLOSE_FOR_GOOD = """() => {
  const closed = () => { throw new DOMException("closed", "UnknownError"); };
  IDBDatabase.prototype.transaction = IDBFactory.prototype.open = closed;
}"""


def test_a_take_goes_on_when_the_browser_drops_its_storage_for_a_moment(author, tmp_path):
    author.start()
    author.page.evaluate(CLOSE_UNDERNEATH)
    author.until(3)
    author.stop()
    assert duration_s(author.kept()["sound"], tmp_path) > 3 - 1


def test_storage_that_is_gone_when_a_take_ends_holds_nobody_up_and_loses_nothing(author):
    author.start()
    author.until(2.5)
    author.page.evaluate(CLOSE_FOR_GOOD)
    author.page.locator("[data-rec]").click()
    author.page.locator("[data-notice]").filter(has_text="The browser closed the storage").wait_for()
    assert author.page.locator("[data-deck]").get_attribute("data-state") == "idle"
    author.open()
    author.card("Not published yet.")


def test_a_take_that_another_tab_is_recording_is_not_offered(author):
    author.start()
    author.until(1.5)
    other = Recorder(author.visitor, author.visitor.context.new_page()).open()
    other.page.wait_for_load_state("networkidle")
    assert [take["stage"] for take in other.kept()["takes"]] == ["recording"]
    assert other.page.locator(".take").count() == 0
    author.page.bring_to_front()
    author.stop()
    assert author.kept()["takes"][0]["stage"] == "draft"


def test_what_was_typed_is_still_there_after_a_reload(author):
    author.take()
    author.page.locator("[data-field=title]").fill("Half a title")
    author.page.get_by_label("Tags").fill("one, two")
    author.visitor.until("document.activeElement.matches('[data-field=tags]')")
    wait_for(lambda: author.kept()["takes"][0]["fields"]["tags"] == "one, two", timeout_s=30)
    author.open()
    author.page.get_by_role("button", name="Go on with it").click()
    author.reviewed()
    assert author.page.locator("[data-field=title]").input_value() == "Half a title"
    assert author.page.locator("[data-field=tags]").input_value() == "one, two"


def test_two_tabs_send_once(author, quiet, handle):
    author.take()
    other = Recorder(author.visitor, author.visitor.context.new_page()).open()
    answers = []
    author.visitor.context.on("response", lambda answer: answers.append((answer.url, answer.status)))
    with author.visitor.offline():
        author.publish()
        for tab in (author, other):
            tab.card("No connection.")
    for tab in (author, other):  # both hear at once that the network is back
        tab.card("Published.")
        tab.page.wait_for_load_state("networkidle")
    assert [status for url, status in answers if url.endswith("/api/bubbles")] == [202]
    assert published(quiet, handle) == 1


def test_a_draft_open_in_two_tabs_is_published_once(author, quiet, handle):
    author.take()
    other = Recorder(author.visitor, author.visitor.context.new_page()).open()
    other.page.get_by_role("button", name="Go on with it").click()
    other.reviewed()
    other.publish("From the other tab")
    other.card("Published.")
    author.page.bring_to_front()
    author.publish("Once more")
    author.card("Published.")
    author.page.locator("[data-review]").wait_for(state="hidden")
    assert author.posts() == 1
    assert published(quiet, handle) == 1


def test_who_signs_out_in_another_tab_loses_nothing_and_goes_on_after_signing_in(author, quiet, handle):
    author.take()
    other = author.visitor.context.new_page()
    other.goto("/")
    other.locator("[data-fragment] form[action='/sign-out'] button").click()
    other.wait_for_load_state("networkidle")
    author.publish("Patience")
    author.card("Waiting for you to sign in.")
    assert author.posts() == 0
    author.page.close()
    with other.expect_response(lambda answer: answer.url.endswith("/api/bubbles") and answer.status == 202):
        sign_in(other, quiet, handle)
    assert published(quiet, handle) == 1


def test_a_stranger_records_first_and_signs_in_later(visit, quiet, handle):
    visitor = visit(permissions=MICROPHONE, origin=quiet.origin)
    recorder = Recorder(visitor).open()
    recorder.page.locator("[data-signed-out]").filter(has_text="Nobody is signed in").wait_for()
    recorder.take()
    recorder.publish()
    recorder.card("Waiting for you to sign in.")
    assert recorder.page.locator(".take [data-sign-in]").get_attribute("href") == "/sign-in?next=/record"
    with visitor.page.expect_response(lambda answer: answer.url.endswith("/api/bubbles") and answer.status == 202):
        sign_in(visitor.page, quiet, handle)
    assert published(quiet, handle) == 1


def test_a_take_is_neither_shown_to_nor_sent_as_another_account(author, quiet, handle):
    author.take()
    author.visitor.context.clear_cookies()
    author.publish()
    author.card("Waiting for you to sign in.")
    other = quiet.account()
    sign_in(author.page, quiet, other)
    author.open()
    author.page.wait_for_load_state("networkidle")
    assert author.page.locator("[data-shelf]").is_hidden()
    assert author.posts() == 0
    assert author.kept()["pieces"] > 0
    author.visitor.context.clear_cookies()
    with author.page.expect_response(lambda answer: answer.url.endswith("/api/bubbles") and answer.status == 202):
        sign_in(author.page, quiet, handle)
    assert (published(quiet, handle), published(quiet, other)) == (1, 0)


def test_a_take_of_nobody_waits_for_who_signs_in_elsewhere_to_say_that_it_is_theirs(visit, quiet, handle):
    visitor = visit(permissions=MICROPHONE, origin=quiet.origin)
    recorder = Recorder(visitor).open()
    recorder.take()
    recorder.publish()
    recorder.card("Waiting for you to sign in.")
    recorder.page.close()
    elsewhere = Recorder(visitor, visitor.context.new_page())
    sign_in(elsewhere.page, quiet, handle)
    elsewhere.open()
    elsewhere.card("Recorded while nobody was signed in.")
    elsewhere.page.wait_for_load_state("networkidle")
    assert elsewhere.posts() == 0
    elsewhere.page.get_by_role("button", name=f"Publish as @{handle}").click()
    elsewhere.card("Published.")
    assert published(quiet, handle) == 1


@pytest.fixture
def overheard(visit, quiet, handle, tmp_path):
    """A take made where the device is, as the recorder keeps it before a precision is chosen, and all that is sent."""
    with listened_to(quiet.origin) as wire:
        visitor = visit(at=HERE, origin=wire.origin)
        sign_in(visitor.page, quiet, handle)
        recorder = Recorder(visitor)
        recorder.page.goto(f"{wire.origin}/record")
        recorder.bring(recorded(tmp_path, 0).path)
        recorder.page.get_by_role("button", name="Where I am").click()
        wait_for(lambda: fields(recorder)["latitude"], timeout_s=30)
        yield recorder, wire


def fields(recorder):
    """What is kept of the only take but its sound."""
    return recorder.kept()["takes"][0]["fields"]


def finer(*told):
    """The digits among all that is told that say too much."""
    return [digits for digits in FINE if any(digits in each for each in told)]


@pytest.mark.parametrize("precision", [Precision.STREET, Precision.NEIGHBOURHOOD, Precision.TOWN, Precision.EXACT])
def test_nothing_finer_than_the_cell_is_kept_or_leaves_the_browser(overheard, precision):
    recorder, wire = overheard
    recorder.page.locator(f"[name=precision][value={precision}]").check()
    wait_for(lambda: fields(recorder)["precision"] == precision, timeout_s=30)
    assert b"48.8" not in bytes(wire.sent)
    kept = fields(recorder)
    recorder.publish()
    recorder.code()
    sent, place = bytes(wire.sent), snap(*HERE, precision, PlaceRole.RECORDED)
    assert (kept["latitude"], kept["longitude"]) == pytest.approx((place.latitude, place.longitude), abs=1e-6)
    for name in ("latitude", "longitude"):
        assert f'name="{name}"\r\n\r\n{kept[name]:.6f}\r\n'.encode() in sent
    if precision is not Precision.EXACT:
        assert finer(sent, str(kept).encode()) == []


def test_a_place_that_is_taken_back_neither_stays_nor_leaves(overheard):
    recorder, wire = overheard
    recorder.page.locator("[data-nowhere]").click()
    wait_for(lambda: fields(recorder)["latitude"] is None, timeout_s=30)
    kept = fields(recorder)
    recorder.publish()
    recorder.code()
    sent = bytes(wire.sent)
    assert kept["longitude"] is None
    assert b'name="visibility"' in sent
    assert b'name="latitude"' not in sent
    assert finer(sent, str(kept).encode()) == []


def test_a_bubble_that_was_published_is_passed_on_from_its_card(author):
    author.visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    author.take()
    author.publish("Pass it on")
    url = f"/b/{author.code()}"
    panel = author.page.locator(".take share-panel")
    panel.locator("[data-copy]").first.click()
    assert author.page.evaluate("navigator.clipboard.readText()").endswith(url)
    ways = [unquote(way.get_attribute("href")) for way in panel.locator(".networks a").all()]
    assert len(ways) > 4
    assert [way for way in ways if url not in way] == []
    panel.get_by_text("QR code").click()
    author.visitor.until("document.querySelector('.take .qr img').naturalWidth > 100")
