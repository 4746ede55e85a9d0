"""Every page, in the states that people meet it in, and how a test gets there."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.browser.stage import NEWCOMER, Stage
from tests.browser.visitor import Visitor


@dataclass(frozen=True)
class Shown:
    """A page in a state.

    `route` is its row in the URL table, `address` where it is; `of` says which service shows it (`stage`, where bubbles
    are on the air, or `quiet`, where one of the author's is in preparation and the newcomer has none); `own` says that
    the author looks; `holds` is a selector of something that only this state has.
    """

    name: str
    route: str
    address: Callable[[Stage], str]
    of: str = "stage"
    own: bool = False
    status: int = 200
    holds: str = "main h1"


FRAGMENTS = {"/me"}
"""Rows that give a piece of a page, seen on each."""


def at(address: str) -> Callable[[Stage], str]:
    """An address in which `{code}` is the first bubble's and `{author}` the author's handle."""
    return lambda stage: address.format(code=stage.code, author=stage.author)


PAGES = (
    Shown("home", "/", at("/"), holds="bubble-player"),
    Shown("home, empty", "/", at("/"), of="quiet", holds=".empty"),
    Shown("search", "/search", at("/search"), holds="bubble-player"),
    Shown("search, found", "/search", at("/search?q=quay&near=45.764,4.8357&tag=river"), holds=".distance"),
    Shown("search, nothing", "/search", at("/search?q=xylophone"), holds=".empty"),
    Shown("search, not understood", "/search", at("/search?near=here"), status=422, holds="[role=alert]"),
    Shown("share", "/b/{code}", at("/b/{code}"), holds="#words [data-start]"),
    Shown("share, in preparation", "/b/{code}", at("/b/{code}"), of="quiet", holds="[data-awaits]"),
    Shown("profile", "/@{handle}", at("/@{author}"), holds="bubble-player"),
    Shown("profile, empty", "/@{handle}", at(f"/@{NEWCOMER}"), of="quiet", holds=".empty"),
    Shown("profile, own", "/@{handle}", at("/@{author}"), own=True, holds="bubble-player"),
    Shown("profile, own, in preparation", "/@{handle}", at("/@{author}"), of="quiet", own=True, holds=".card .state"),
    Shown("sign in by link", "/sign-in/{secret}", lambda stage: stage.link(stage.author), holds="main form"),
    Shown("sign in by link, used up", "/sign-in/{secret}", at("/sign-in/nothing"), status=404),
    Shown("record", "/record", at("/record"), holds="[data-rec]"),
    Shown("sign in", "/sign-in", at("/sign-in"), holds="[data-passkey] button"),
    Shown("sign up", "/sign-up", at("/sign-up"), holds="#password"),
    Shown("account", "/account", at("/account"), by=AUTHOR, holds="[data-adds-passkey] button"),
    Shown("privacy", "/privacy", at("/privacy")),
    Shown("terms", "/terms", at("/terms")),
    Shown("contact", "/contact", at("/contact")),
    Shown("method", "/method", at("/method")),
    Shown("offline", "/offline", at("/offline")),
    Shown("nothing here", "", at("/nothing-here"), status=404, holds=".message"),
)


def sign_in(visitor: Visitor, link: str) -> None:
    """Uses a one-time link."""
    visitor.page.goto(link)
    visitor.page.locator("main form[method=post] button[type=submit]").click()
    visitor.page.wait_for_url(lambda url: "/sign-in/" not in url)


def arrive(visitor: Visitor, shown: Shown, stage: Stage) -> None:
    """Opens the page in its state, with all that comes after it."""
    if shown.own:
        sign_in(visitor, stage.link(stage.author))
    answer = visitor.page.goto(shown.address(stage))
    assert answer is not None
    assert answer.status == shown.status
    visitor.page.locator(shown.holds).first.wait_for()
    if shown.own:
        visitor.page.locator("[data-fragment] form").first.wait_for()  # who is here comes after the page
