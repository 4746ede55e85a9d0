"""Every page, in the states that people meet it in, and how a test gets there."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.stage import NEWCOMER, Stage
from tests.browser.visitor import Visitor


@dataclass(frozen=True)
class Shown:
    """A page in a state.

    `route` is its row in the URL table, `address` where it is; `of` says which service shows it (`stage`, where bubbles
    are on the air, `quiet`, where one of the author's is in preparation and the newcomer has none, or `club`, where
    accounts are by invitation and the operator has written all texts); `by` is who looks, "author", "anew" for an
    account of its own, another handle, or nobody in particular; `then` does what leads from the page to the state, and
    `sends` is the row of the form that the state is the answer of, if it is one; `holds` is a selector of something
    visible that only this state has.
    """

    name: str
    route: str
    address: Callable[[Stage], str]
    of: str = "stage"
    by: str = ""
    status: int = 200
    holds: str = "main h1"
    then: Callable[[Page, Stage], None] = lambda page, stage: None
    sends: str = ""


LEAVING = "/account/delete"
BUBBLE = "/studio/bubbles/{code}"
PASSWORD = "four lemons by the harbour"
"""Of who signs up."""

FRAGMENTS = {"/me", "/map/list", "/on-air", "/b/{code}/share"}
"""Rows that give a piece of a page, seen on each."""


def at(address: str) -> Callable[[Stage], str]:
    """An address in which `{code}` is the first bubble's and `{author}` the author's handle."""
    return lambda stage: address.format(author=stage.author, **({"code": stage.code} if stage.told else {}))


def sign_up(page: Page, handle: str) -> None:
    """Fills the form in, and sends it."""
    page.locator("[name=handle]").fill(handle)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=terms]").check()
    page.locator("main form button[type=submit]").click()


def sign_up_anew(page: Page, stage: Stage) -> None:
    """Makes an account."""
    sign_up(page, stage.handle())


def sign_up_as_another(page: Page, stage: Stage) -> None:
    """Asks for a handle that is taken."""
    sign_up(page, stage.author)


def sign_in_wrongly(page: Page, stage: Stage) -> None:
    """Types a wrong password."""
    page.locator("#handle").fill(stage.author)
    page.locator("#password").fill("not this one")
    page.locator("main form button[type=submit]").first.click()


def ask_in(section: str) -> Callable[[Page, Stage], None]:
    """Sends the last form of that section of the account page."""
    return lambda page, stage: page.locator(f"#{section} form").last.locator("button[type=submit]").click()


def leave(page: Page, stage: Stage) -> None:
    """Closes the account."""
    page.locator("#leaving summary").click()
    handle = page.evaluate("fetch('/api/me').then((answer) => answer.json()).then(({ handle }) => handle)")
    page.locator("#leaving-handle").fill(handle)
    ask_in("leaving")(page, stage)


def press_rec(page: Page, stage: Stage) -> None:
    """Asks for a microphone that is not allowed."""
    page.locator("[data-rec]").click()


def bring_file(page: Page, stage: Stage) -> None:
    """Takes a sound file instead of a recording, and a place in figures."""
    page.locator("input[type=file]:not([capture])").set_input_files(stage.sound)
    page.locator("[data-details]").wait_for()
    page.locator(".by-hand summary").click()
    page.locator("[data-hand=latitude]").fill("45.764")
    page.locator("[data-hand=longitude]").fill("4.8357")
    page.locator("[data-hand=longitude]").press("Tab")


def send_file(page: Page, stage: Stage) -> None:
    """Publishes it."""
    bring_file(page, stage)
    page.locator("[data-details] button[type=submit]").click()


def see_one_that_failed(page: Page, stage: Stage) -> None:
    """Goes to a bubble of the author's of which nothing playable could be made."""
    page.goto(f"/studio/bubbles/{stage.failed()}")


def asked_in(state: str, section: str, *, sends: str, holds: str, of: str = "quiet") -> Shown:
    """The account page of somebody new, once a section's form has been answered."""
    name, account = f"account, {state}", "/account"
    return Shown(name, account, at(account), of=of, by="anew", holds=holds, then=ask_in(section), sends=sends)


PAGES = (
    Shown("home", "/", at("/"), holds="bubble-player"),
    Shown("home, empty", "/", at("/"), of="quiet", holds=".empty"),
    Shown("search", "/search", at("/search"), holds="bubble-player"),
    Shown("search, found", "/search", at("/search?q=quay&near=45.764,4.8357&tag=river"), holds=".distance"),
    Shown("search, nothing", "/search", at("/search?q=xylophone"), holds=".empty"),
    Shown("search, not understood", "/search", at("/search?near=1,2,3"), status=422, holds="[role=alert]"),
    Shown("share", "/b/{code}", at("/b/{code}"), holds="#words [data-start]"),
    Shown("share, in preparation", "/b/{code}", at("/b/{code}"), of="quiet", holds="[data-awaits]"),
    Shown("embed", "/b/{code}/embed", at("/b/{code}/embed"), holds="bubble-player"),
    Shown("profile", "/@{handle}", at("/@{author}"), holds="bubble-player"),
    Shown("profile, empty", "/@{handle}", at(f"/@{NEWCOMER}"), of="quiet", holds=".empty"),
    Shown("profile, own", "/@{handle}", at("/@{author}"), by="author", holds="bubble-player"),
    Shown(
        "profile, own, in preparation", "/@{handle}", at("/@{author}"), of="quiet", by="author", holds=".card .state"
    ),
    Shown("map", "/map", at("/map"), holds="[data-canvas] canvas"),
    Shown("map, nothing in view", "/map", at("/map?bbox=-30,-30,-29,-29"), holds=".list-foot .empty"),
    Shown("map, empty", "/map", at("/map"), of="quiet", holds=".list-foot .empty"),
    Shown("walk", "/walk", at("/walk"), holds="[data-walk]"),
    Shown("walk, empty", "/walk", at("/walk"), of="quiet", holds="[data-walk]"),
    Shown("record", "/record", at("/record"), by="author", holds="[data-rec]"),
    Shown("record, signed out", "/record", at("/record"), holds="[data-signed-out]"),
    Shown(
        "record, no microphone",
        "/record",
        at("/record"),
        by="author",
        holds="[data-notice]:not(:empty)",
        then=press_rec,
    ),
    Shown("record, taken", "/record", at("/record"), by="author", holds="place-picker", then=bring_file),
    Shown(
        "record, sent",
        "/record",
        at("/record"),
        of="quiet",
        by="author",
        holds="[data-takes] [data-bubble]",
        then=send_file,
    ),
    Shown("sign up", "/sign-up", at("/sign-up")),
    Shown("sign up, taken", "/sign-up", at("/sign-up"), holds="[aria-invalid=true]", then=sign_up_as_another),
    Shown("sign up, recovery codes", "/sign-up", at("/sign-up"), holds=".codes", then=sign_up_anew, sends="/sign-up"),
    Shown("sign up, by invitation", "/sign-up", at("/sign-up"), of="club", holds="#invitation"),
    Shown("sign in", "/sign-in", at("/sign-in"), holds="[data-passkey] button"),
    Shown("sign in, wrongly", "/sign-in", at("/sign-in"), holds="[role=alert]", then=sign_in_wrongly),
    Shown("studio", "/studio", at("/studio"), by="author", holds=".rows"),
    Shown("studio, in preparation", "/studio", at("/studio"), of="quiet", by="author", holds=".rows"),
    Shown("studio, empty", "/studio", at("/studio"), of="quiet", by=NEWCOMER, holds=".empty"),
    Shown("studio, a bubble", BUBBLE, at("/studio/bubbles/{code}"), by="author", holds=".desk-player"),
    Shown(
        "studio, a bubble that failed",
        BUBBLE,
        at("/studio"),
        of="quiet",
        by="author",
        holds="form[action$='/retry'] button",
        then=see_one_that_failed,
    ),
    Shown("studio, a bubble in preparation", BUBBLE, at("/studio/bubbles/{code}"), of="quiet", by="author"),
    Shown("account", "/account", at("/account"), by="author", holds="[data-adds-passkey] button"),
    asked_in("new recovery codes", "codes", sends="/account/recovery-codes", holds=".codes"),
    asked_in("a token", "tokens", sends="/account/tokens", holds="#tokens #once"),
    asked_in("an invitation", "invitations", sends="/account/invitations", holds="#invitations #once", of="club"),
    Shown(
        "account, left",
        "/account",
        at("/account"),
        of="quiet",
        by="anew",
        holds=".message",
        then=leave,
        sends=LEAVING,
    ),
    Shown("sign in by link", "/sign-in/{secret}", lambda stage: stage.link(stage.author), holds="main form"),
    Shown("sign in by link, used up", "/sign-in/{secret}", at("/sign-in/nothing"), status=404),
    Shown("privacy", "/privacy", at("/privacy")),
    Shown("privacy, written", "/privacy", at("/privacy"), of="club", holds=".prose table"),
    Shown("terms", "/terms", at("/terms")),
    Shown("terms, written", "/terms", at("/terms"), of="club", holds=".prose table"),
    Shown("contact", "/contact", at("/contact")),
    Shown("contact, written", "/contact", at("/contact"), of="club", holds=".prose table"),
    Shown("method", "/method", at("/method")),
    Shown("offline", "/offline", at("/offline")),
    Shown("nothing here", "", at("/nothing-here"), status=404, holds=".message"),
)


def sign_in(page: Page, stage: Stage, handle: str) -> None:
    """Uses a one-time link."""
    page.goto(stage.link(handle))
    page.locator("main form[method=post] button[type=submit]").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def arrive(visitor: Visitor, shown: Shown, stage: Stage) -> None:
    """Opens the page in its state, with all that comes after it."""
    if shown.by:
        sign_in(visitor.page, stage, {"author": stage.author, "anew": ""}.get(shown.by, shown.by) or stage.account())
    answer = visitor.page.goto(shown.address(stage))
    assert answer is not None
    assert answer.status == shown.status
    shown.then(visitor.page, stage)
    visitor.page.locator(shown.holds).first.wait_for()
    if shown.by and shown.sends != LEAVING:
        visitor.page.locator("[data-fragment] form").first.wait_for()  # who is here comes after the page
