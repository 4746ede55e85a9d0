"""The outbox of a device that several tabs and people share: a take is its author's, and goes out once."""

import pytest

from tests.browser.pages import sign_in
from tests.browser.recording import Recorder

pytestmark = pytest.mark.once


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
    assert quiet.published(handle) == 1


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
    assert quiet.published(handle) == 1


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
    assert quiet.published(handle) == 1


def test_a_stranger_records_first_and_signs_in_later(visit, quiet, handle):
    visitor = visit(permissions=["microphone"], origin=quiet.origin)
    recorder = Recorder(visitor).open()
    recorder.page.locator("[data-signed-out]").filter(has_text="Nobody is signed in").wait_for()
    recorder.take()
    recorder.publish()
    recorder.card("Waiting for you to sign in.")
    assert recorder.page.locator(".take [data-sign-in]").get_attribute("href") == "/sign-in?next=/record"
    with visitor.page.expect_response(lambda answer: answer.url.endswith("/api/bubbles") and answer.status == 202):
        sign_in(visitor.page, quiet, handle)
    assert quiet.published(handle) == 1


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
    assert (quiet.published(handle), quiet.published(other)) == (1, 0)


def test_a_take_of_nobody_waits_for_who_signs_in_elsewhere_to_say_that_it_is_theirs(visit, quiet, handle):
    visitor = visit(permissions=["microphone"], origin=quiet.origin)
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
    assert quiet.published(handle) == 1
