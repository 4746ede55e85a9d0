"""Every page, in the states that people meet it in, and how a test gets there."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.browser.stage import AUTHOR, Stage


@dataclass(frozen=True)
class Shown:
    """A page in a state.

    `route` is its row in the URL table, `address` where it is; `of` says which service shows it (`stage`, where three
    bubbles are on the air, or `quiet`, where one of the author's is in preparation and the newcomer has none); `by` is
    the handle of who is signed in; `holds` is a selector of something that only this state has.
    """

    name: str
    route: str
    address: Callable[[Stage], str]
    of: str = "stage"
    by: str = ""
    status: int = 200
    holds: str = "main h1"


NEWCOMER = "newcomer"
FRAGMENTS = {"/me"}
"""Rows that give a piece of a page, seen on each."""


def at(address: str) -> Callable[[Stage], str]:
    """An address that needs no bubble, or takes the first one's `{code}`."""
    return lambda stage: address.format(code=stage.code) if "{code}" in address else address


PAGES = (
    Shown("home", "/", at("/"), holds="bubble-player"),
    Shown("home, empty", "/", at("/"), of="quiet", holds=".empty"),
    Shown("search", "/search", at("/search"), holds="bubble-player"),
    Shown("search, found", "/search", at("/search?q=quay&near=45.764,4.8357&tag=river"), holds=".distance"),
    Shown("search, nothing", "/search", at("/search?q=xylophone"), holds=".empty"),
    Shown("search, not understood", "/search", at("/search?near=here"), status=422, holds="[role=alert]"),
    Shown("share", "/b/{code}", at("/b/{code}"), holds="#words [data-start]"),
    Shown("share, in preparation", "/b/{code}", at("/b/{code}"), of="quiet", holds="[data-awaits]"),
    Shown("profile", "/@{handle}", at(f"/@{AUTHOR}"), holds="bubble-player"),
    Shown("profile, empty", "/@{handle}", at(f"/@{NEWCOMER}"), of="quiet", holds=".empty"),
    Shown("profile, own", "/@{handle}", at(f"/@{AUTHOR}"), by=AUTHOR, holds="bubble-player"),
    Shown("profile, own, in preparation", "/@{handle}", at(f"/@{AUTHOR}"), of="quiet", by=AUTHOR, holds=".card .state"),
    Shown("sign in by link", "/sign-in/{secret}", lambda stage: stage.link(AUTHOR), holds="main form"),
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
