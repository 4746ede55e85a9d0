"""An account from its making on, in a browser with an authenticator of its own."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.pages import PASSWORD, sign_up
from tests.browser.visitor import DESKTOP, PHONE, Visitor

REFUSED = "status of 40[13]"


@pytest.fixture
def stage(quiet):
    """Nothing has to be on the air."""
    return quiet


def with_authenticator(visitor: Visitor, *, consents: bool = True) -> str:
    """Gives the open page a device that keeps passkeys; its name."""
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": consents,
        "automaticPresenceSimulation": True,
    }
    return str(session.send("WebAuthn.addVirtualAuthenticator", {"options": device})["authenticatorId"])


def make_account(page: Page, handle: str) -> list[str]:
    """Makes an account by the form; its recovery codes."""
    page.goto("/sign-up")
    sign_up(page, handle)
    expect(page.locator(".codes li")).to_have_count(10)
    return page.locator(".codes code").all_inner_texts()


def enter(page: Page, handle: str, password: str) -> None:
    page.locator("#handle").fill(handle)
    page.locator("#password").fill(password)
    page.locator("form.fields").first.locator("button[type=submit]").click()


def sign_out(page: Page) -> None:
    page.locator("[data-fragment] form button").click()
    page.wait_for_url(re.compile("/sign-in\\?done=out"))


def test_from_signing_up_to_signing_in_by_passkey(stage, visit):
    visitor = visit(kind=PHONE)
    with_authenticator(visitor)
    page = visitor.page
    make_account(page, stage.handle())
    page.goto("/account")
    page.locator("#passkey-name").fill("My telephone")
    page.locator("[data-adds-passkey] button").click()
    expect(page.locator(".done")).to_have_text("The passkey is added.")
    expect(page.locator("#passkeys .held strong")).to_have_text("My telephone")
    assert violations(page) == []
    sign_out(page)
    page.goto("/account")
    expect(page).to_have_url(re.compile("/sign-in\\?next=/account"))
    page.locator("[data-passkey] button").click()
    page.wait_for_url("**/account")
    expect(page.locator("#passkeys .held .hint")).to_contain_text("last used on")


def test_a_device_does_not_hold_two_passkeys_of_one_account(signed_in):
    visitor = signed_in()
    with_authenticator(visitor)
    page = visitor.page
    page.goto("/account")
    page.locator("[data-adds-passkey] button").click()
    expect(page.locator("#passkeys .held li")).to_have_count(1)
    page.locator("[data-adds-passkey] button").click()
    expect(page.locator("[data-status]")).to_have_text("This device holds a passkey of yours already.")


def test_a_passkey_that_is_not_known_is_said_and_the_password_works_beside_it(stage, visit):
    visitor = visit(allowed=[REFUSED])
    with_authenticator(visitor)
    page, handle = visitor.page, stage.handle()
    make_account(page, handle)
    page.goto("/account")
    page.locator("[data-adds-passkey] button").click()
    expect(page.locator("#passkeys .held li")).to_have_count(1)
    page.locator("#passkeys button[form=passkey-removal]").click()
    expect(page.locator(".done")).to_have_text("The passkey is removed.")
    sign_out(page)
    page.goto("/sign-in")
    page.locator("[data-passkey] button").click()
    expect(page.locator("[data-status]")).to_contain_text("not known here")
    enter(page, handle, PASSWORD)
    page.wait_for_url("**/studio")


def test_recovery_codes_can_be_copied_and_downloaded_and_let_in(stage, visit):
    visitor = visit(kind=DESKTOP, permissions=["clipboard-read", "clipboard-write"])
    page, handle = visitor.page, stage.handle()
    codes = make_account(page, handle)
    page.locator("[data-copies]").click()
    expect(page.locator("[data-copies]")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as download:
        page.locator("[data-downloads]").click()
    file = download.value.path().read_text()
    assert file == copied
    assert [line for line in file.splitlines() if line in codes] == codes
    assert violations(page) == []
    other = visit().page
    other.goto("/sign-in")
    other.locator("summary").first.click()
    other.locator("#recovery-handle").fill(handle)
    other.locator("#code").fill(codes[3].upper())
    other.locator("details[open] button").click()
    expect(other.locator(".done")).to_contain_text("that recovery code is used up")
    expect(other.locator("#present")).to_have_count(0)


def test_a_session_ended_elsewhere_stops_at_once(stage, visit):
    here, there, handle = visit(kind=DESKTOP).page, visit(kind=PHONE).page, stage.handle()
    make_account(here, handle)
    there.goto("/sign-in?next=/account")
    enter(there, handle, PASSWORD)
    expect(there.locator("#sessions .held li")).to_have_count(2)
    there.locator("#sessions .held button[name=session]").click()
    expect(there.locator("#sessions .held li")).to_have_count(1)
    here.goto("/account")
    expect(here).to_have_url(re.compile("/sign-in"))


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_a_password_can_be_looked_at_and_is_hidden_when_it_is_sent(visit, locale):
    visitor = visit(locale=locale, allowed=[REFUSED])
    page = visitor.page
    page.goto("/sign-in")
    page.locator("#password").fill("lemons")
    reveal = page.locator(".reveal").first
    reveal.click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    expect(reveal).to_have_attribute("aria-pressed", "true")
    page.locator("#handle").fill("nobody-here")
    page.locator("#password").press("Enter")
    expect(page.locator("[role=alert]")).to_be_visible()
    assert page.locator("#password").input_value() == ""
    assert violations(page) == []


def test_everything_but_passkeys_works_without_the_script(stage, visit):
    visitor = visit(java_script_enabled=False)
    page = visitor.page
    make_account(page, stage.handle())
    assert page.locator("main button:visible").count() == 0
    page.goto("/account")
    page.locator("#new-password").fill(f"{PASSWORD} again")
    page.locator("#password form button").click()
    expect(page.locator(".done")).to_be_visible()
    page.locator("#token-name").fill("Script")
    page.locator("#tokens form.fields button").click()
    assert len(page.locator("#once").input_value()) == 43
    page.locator("#tokens .held button").click()
    expect(page.locator("#tokens .held li")).to_have_count(0)
    expect(page.locator("[data-needs-script]")).to_be_visible()
    expect(page.locator("[data-adds-passkey]")).to_be_hidden()
