"""The cookie of a known browser: kept for a year after signing in, for whoever has, and forgotten by a button."""

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from bubbles import known_browsers
from bubbles.http import auth, onward
from bubbles.http.devices import device
from bubbles.model.account import Account
from bubbles.model.known_browser import KEPT, KnownBrowser

COOKIE = "bubbles_known"
COOKIE_MAX = 128
"""Characters of a cookie that are looked at; ours are shorter."""


def cookie(request: Request) -> str:
    """What the browser keeps, empty if nothing."""
    sent = request.cookies.get(auth.cookie_name(request, COOKIE), "")
    return sent if len(sent) <= COOKIE_MAX else ""


def know(request: Request, session: Session, account: Account) -> str:
    """Makes the browser known to who has signed in; returns the cookie that it is to keep."""
    return known_browsers.know(session, account, cookie(request), device=device(request), now=auth.house(request).now())


def of_handle(request: Request, session: Session, handle: str) -> KnownBrowser | None:
    """What the browser is to the account of a handle."""
    sent, now = cookie(request), auth.house(request).now()
    return known_browsers.of_handle(session, sent, handle, now=now) if sent else None


def of_anyone(request: Request, session: Session) -> KnownBrowser | None:
    """What the browser is to whoever has signed in with it first."""
    sent = cookie(request)
    return known_browsers.of_anyone(session, sent, now=auth.house(request).now()) if sent else None


def keep(request: Request, response: Response, cookie: str) -> None:
    """Gives the browser its cookie."""
    auth.keep_cookie(request, response, cookie, cookie=COOKIE, age_s=int(KEPT.total_seconds()))


def drop(request: Request, response: Response) -> Response:
    """Takes the cookie from the browser again."""
    return auth.drop_cookie(request, response, cookie=COOKIE)


def tidied(request: Request, response: Response) -> Response:
    """The response, with the cookie taken back if the browser is known to nobody."""
    with auth.house(request).database.transaction() as session:
        is_known = of_anyone(request, session) is not None
    return response if is_known else drop(request, response)


def forget_here(request: Request, session: Session) -> None:
    """Forgets the browser for everybody who has signed in with it."""
    known_browsers.forget_here(session, cookie(request))


def forget(request: Request) -> Response:
    """POST: forgets this browser, whoever is known in it. A session that it has goes on."""
    auth.require_same_origin(request)
    with auth.house(request).database.transaction() as session:
        is_in = auth.own(request, session) is not None
        forget_here(request, session)
    done = "/account?done=browser_forgotten#browsers" if is_in else "/sign-in?done=forgotten"
    return drop(request, onward.to(done))
