"""The outbox: whatever happens on the way, a take is there until it is acknowledged, and is published once."""

import os
import signal
from contextlib import contextmanager
from urllib.parse import unquote

import pytest

from tests.browser.recording import Recorder, duration_s, slow_upload
from tests.browser.stage import GENEROUS, Stage
from tests.journey.service import running, wait_for
from tests.ports import free_port

pytestmark = pytest.mark.once

BYTES_PER_S = 60_000
"""So slow that twenty seconds of plain sound take half a minute to leave."""

FREED_S = 90
"""A key is free 20 s after the last sign of life; a try just before that is followed by one up to 32 s later."""


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
    """A service that comes back at the same address with the same data."""
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
    author.card("Published.", within_s=FREED_S)
    assert author.kept()["pieces"] == 0
    assert quiet.published(handle) == 1


def test_a_service_killed_in_mid_upload_publishes_once_when_it_is_back(recorder_of, spoken, tmp_path):
    port = str(free_port())
    with on_port(tmp_path, port) as stage:
        ours = stage.account()
        recorder = recorder_of(ours, of=stage, allowed=["ERR_"]).bring(spoken(length_s=20).path)
        line = slow_upload(recorder.visitor, recorder.page, bytes_per_s=BYTES_PER_S)
        recorder.publish()
        wait_until_on_its_way(recorder)
        stage.service.process.send_signal(signal.SIGKILL)
        recorder.card("No connection.")
        line.detach()
    with on_port(tmp_path, port) as stage:
        recorder.card("Published.", within_s=FREED_S)
        assert stage.published(ours) == 1


def test_a_tab_closed_in_mid_upload_sends_from_the_next_one_and_once(author, quiet, handle, spoken):
    author.bring(spoken(length_s=20).path)
    slow_upload(author.visitor, author.page, bytes_per_s=BYTES_PER_S)
    author.publish()
    wait_until_on_its_way(author)
    author.page.close()
    assert quiet.published(handle) == 0
    again = Recorder(author.visitor, author.visitor.context.new_page()).open()
    again.card("Published.", within_s=FREED_S)
    assert again.kept()["pieces"] == 0
    assert quiet.published(handle) == 1


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


def test_what_was_typed_is_still_there_after_a_reload(author):
    author.take()
    author.page.locator("[data-field=title]").fill("Half a title")
    author.page.get_by_label("Tags").fill("one, two")
    author.visitor.until("document.activeElement.matches('[data-field=tags]')")
    wait_for(lambda: author.kept()["takes"][0]["fields"]["tags"] == "one, two")
    author.open()
    author.page.get_by_role("button", name="Go on with it").click()
    author.reviewed()
    assert author.page.locator("[data-field=title]").input_value() == "Half a title"
    assert author.page.locator("[data-field=tags]").input_value() == "one, two"


def test_a_bubble_that_was_published_is_passed_on_from_its_card(author):
    author.visitor.context.grant_permissions(["clipboard-read", "clipboard-write"])
    author.take()
    author.publish("Pass it on")
    url = f"/b/{author.code()}"
    panel = author.page.locator(".take share-panel")
    panel.locator("[data-copy]").first.click()
    panel.get_by_role("button", name="Copied").wait_for()
    assert author.page.evaluate("navigator.clipboard.readText()").endswith(url)
    ways = [unquote(way.get_attribute("href")) for way in panel.locator(".networks a").all()]
    assert len(ways) > 4
    assert [way for way in ways if url not in way] == []
    panel.get_by_text("QR code").click()
    author.visitor.until("document.querySelector('.take .qr img').naturalWidth > 100")
