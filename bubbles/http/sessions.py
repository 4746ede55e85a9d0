"""The session of this browser: begun with a cookie, and ended. One-time links; other ways in are `sign_in.py`."""

from dataclasses import dataclass, field
from datetime import timedelta

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bubbles import ids, sign_in
from bubbles.db import accounts
from bubbles.http import auth, known, onward, render
from bubbles.http.body import form_fields
from bubbles.http.caching import NEVER_STORED, NO_STORE
from bubbles.http.devices import device
from bubbles.model.account import Account, Way

HOME = "/studio"
"""Where someone goes who signed in on the way to nowhere."""


@dataclass(frozen=True)
class Cookies:
    """What a browser keeps of a sign-in: of the session, and that it is known."""

    session: str = field(repr=False)
    known: str = field(repr=False)


def begin(request: Request, session: Session, account: Account, way: Way) -> Cookies:
    """A session for the browser that asks, as long as the settings say, in which the account is known from then on.

    The session that it had ends: nobody could reach it any more.
    """
    house = auth.house(request)
    sign_in.sign_out(session, request.cookies.get(auth.cookie_name(request), ""), now=house.now())
    valid_for = timedelta(days=house.settings.session_days)
    begun = sign_in.begin_session(session, account, way, device=device(request), now=house.now(), valid_for=valid_for)
    return Cookies(begun, known.know(request, session, account))


def let_in(request: Request, response: Response, cookies: Cookies) -> Response:
    """Gives the browser its cookies."""
    session_days = auth.house(request).settings.session_days
    auth.keep_cookie(request, response, cookies.session, age_s=session_days * 24 * 3600)
    known.keep(request, response, cookies.known)
    return response


def link(request: Request) -> Response:
    """GET of a one-time link: only a button, so that a preview of the link does not use it up.

    It says whom it signs in: nobody is to record into an account that somebody else has sent them the link of.
    """
    house = auth.house(request)
    with house.database.transaction() as session:
        account = accounts.of_link(session, ids.hashed(request.path_params["secret"]), house.now())
    status, template = (200, "sign_in_link.html") if account else (404, "sign_in_link_used.html")
    return render.page(
        request,
        template,
        status=status,
        cache=NEVER_STORED,
        handle=account.handle if account else "",
        path="",
        back="/",
        robots="noindex",
    )


def use_link(request: Request) -> Response:
    """POST: uses the link up, sets the cookie and leads to where another way in is made."""
    house = auth.house(request)
    auth.require_same_origin(request)
    with house.database.transaction() as session:
        account = sign_in.by_link(session, request.path_params["secret"], now=house.now())
        cookies = begin(request, session, account, Way.LINK)
    return let_in(request, onward.to("/account?done=linked#password"), cookies)


async def sign_out(request: Request) -> Response:
    """POST: ends the session on the server, too; with `forget=device` the browser is known to nobody any more."""
    auth.require_same_origin(request)
    fields = await form_fields(request)
    return await run_in_threadpool(_signed_out, request, forgets=fields.get("forget") == "device")


def _signed_out(request: Request, *, forgets: bool) -> Response:
    house = auth.house(request)
    with house.database.transaction() as session:
        sign_in.sign_out(session, request.cookies.get(auth.cookie_name(request), ""), now=house.now())
        if forgets:
            known.forget_here(request, session)
    response = forget(request, onward.to("/sign-in?done=" + ("forgotten" if forgets else "out")))
    return known.drop(request, response) if forgets else response


def forget(request: Request, response: Response) -> Response:
    """Takes the cookie from the browser again."""
    return auth.drop_cookie(request, response)


def me(request: Request) -> Response:
    """A fragment for the head of each page: who is signed in, and the way out; 204 for strangers."""
    with auth.house(request).database.transaction() as session:
        person = auth.person(request, session)
    if person is None:
        return Response(status_code=204, headers=NO_STORE)
    return render.fragment(request, "me.html", handle=person.handle)
