"""Known browsers: in which someone has signed in before, so that nobody's guesses elsewhere keep them out there.

A cookie is known to an account only by a sign-in of that account, and is made anew then: one that somebody else had put
into the browser before is known to nobody after.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bubbles import ids
from bubbles.db import known_browsers
from bubbles.errors import Code, Refused
from bubbles.model.account import Account, Device
from bubbles.model.known_browser import KEPT, KnownBrowser

PER_ACCOUNT_MAX = 50


def know(session: Session, account: Account, cookie: str, *, device: Device, now: datetime) -> str:
    """Makes the browser of that cookie, empty if it has none, known to who signs in; returns the cookie that it is to
    keep. Past `PER_ACCOUNT_MAX` the one that was used longest ago is forgotten.
    """
    secret_hash = ids.hashed(cookie)
    known = known_browsers.by_secret(session, secret_hash, account.id)
    if known is not None:
        known.used_at, known.browser, known.system = now, device.browser, device.system
        return cookie
    secret = ids.new_secret()
    known_browsers.move(session, secret_hash, to=ids.hashed(secret))
    session.add(
        KnownBrowser(
            account_id=account.id,
            secret_hash=ids.hashed(secret),
            browser=device.browser,
            system=device.system,
            created_at=now,
            used_at=now,
        )
    )
    session.flush()
    known_browsers.trim(session, account.id, keep=PER_ACCOUNT_MAX)
    return secret


def of_handle(session: Session, cookie: str, handle: str, *, now: datetime) -> KnownBrowser | None:
    """What a browser is to the account of a handle: None where nobody of that handle has signed in with it."""
    return known_browsers.of_handle(session, ids.hashed(cookie), handle, now - KEPT)


def of_anyone(session: Session, cookie: str, *, now: datetime) -> KnownBrowser | None:
    """What a browser is to whoever has signed in with it first; None when nobody has."""
    return known_browsers.first_of(session, ids.hashed(cookie), now - KEPT)


def of_account(session: Session, account: Account, *, now: datetime) -> Sequence[KnownBrowser]:
    """The browsers that an account is known in, the latest first."""
    return known_browsers.of_account(session, account.id, now - KEPT)


def forget(session: Session, account: Account, browser_id: int, *, now: datetime) -> None:
    """Forgets one of an account's browsers; raises `not_found` for one that is forgotten, or another's."""
    found = next((each for each in of_account(session, account, now=now) if each.id == browser_id), None)
    if found is None:
        raise Refused(Code.NOT_FOUND, "There is no such browser.")
    session.delete(found)


def forget_all(session: Session, account: Account, *, but: str = "") -> None:
    """Forgets an account's browsers, all but that of the cookie `but`."""
    known_browsers.forget_of_account(session, account.id, but=ids.hashed(but))


def forget_here(session: Session, cookie: str) -> None:
    """Forgets a browser for everybody who has signed in with it."""
    known_browsers.forget_cookie(session, ids.hashed(cookie))
