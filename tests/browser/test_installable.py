"""The browser itself finds the pages fit to be installed, and its service worker shows no old page as new."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages import sign_in
from tests.browser.recording import Recorder
from tests.browser.spoken import recorded

IN_CONTROL = "navigator.serviceWorker.controller !== null"


def test_the_browser_offers_to_install_the_pages(visit, stage):
    visitor = visit()
    visitor.page.goto("/")
    browser = visitor.context.new_cdp_session(visitor.page)
    manifest = browser.send("Page.getAppManifest")
    assert manifest["url"] == f"{stage.origin}/app.webmanifest"
    assert manifest["errors"] == []
    errors = browser.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A profile that keeps nothing is never offered it, which is no fault of the page.
    assert {error["errorId"] for error in errors} <= {"in-incognito"}


def test_who_signs_in_can_record_without_a_connection_from_then_on(visit, quiet):
    visitor = visit(origin=quiet.origin)
    sign_in(visitor.page, quiet, quiet.account())
    visitor.until(IN_CONTROL)
    with visitor.offline():
        visitor.page.goto("/record")
        expect(visitor.page.locator("[data-rec]")).to_be_visible()


@pytest.fixture
def keeper(visit, quiet):
    """Someone who has recorded, so that the service worker has all and is in control; nobody is signed in."""
    recorder = Recorder(visit(permissions=["microphone"], origin=quiet.origin)).open().take(1)
    recorder.visitor.until(IN_CONTROL)
    return recorder


def test_a_page_that_changed_is_never_shown_as_it_was(keeper, quiet, tmp_path):
    handle = quiet.account()
    token = quiet.token(handle)
    code = quiet.publish(recorded(tmp_path), token, title="As it was")["code"]
    page, heading = keeper.page, keeper.page.locator("main h1")
    page.goto(f"/b/{code}")
    assert page.evaluate(IN_CONTROL)
    expect(heading).to_have_text("As it was")
    with quiet.service.client(token) as client:
        assert client.patch(f"/api/bubbles/{code}", json={"title": "As it is"}).status_code == 200
    page.goto(f"/b/{code}")
    expect(heading).to_have_text("As it is")
    sign_in(page, quiet, handle)
    page.goto("/record")
    expect(page.locator("[data-fragment]")).to_contain_text(handle)


def test_without_a_connection_the_recorder_opens_and_every_other_page_says_so(keeper):
    page = keeper.page
    page.goto("/")
    with keeper.visitor.offline():
        keeper.visitor.allowed.append("ERR_FAILED|Failed to fetch|Worker failed to load")  # the map is not kept
        for address in ("/", "/search?q=quay", "/offline"):
            page.goto(address)
            expect(page.locator("main h1")).to_have_text("No connection")
        page.goto("/record")
        keeper.take(1)
        keeper.publish("From the street")
        keeper.card("No connection.")
        assert len(keeper.kept()["takes"]) == 2
