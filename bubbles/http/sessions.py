"""Signing in by a one-time link, who-am-I, and signing out."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bubbles import accounts
from bubbles.http import auth, render
from bubbles.http.caching import NO_STORE


def sign_in(request: Request) -> Response:
    """POST: uses the link up and sets the cookie. GET only shows a button, so that no preview uses it up."""
    house = auth.house(request)
    auth.require_same_origin(request)
    valid_for = timedelta(days=house.settings.session_days)
    with house.database.transaction() as session:
        signed_in = accounts.sign_in(session, request.path_params["secret"], now=house.now(), valid_for=valid_for)
    response = RedirectResponse(f"/@{signed_in.handle}", status_code=303, headers=NO_STORE)
    response.set_cookie(
        auth.COOKIE,
        signed_in.cookie,
        max_age=int(valid_for.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=house.settings.public_url.startswith("https://"),
    )
    return response


def sign_out(request: Request) -> Response:
    """POST: ends the session on the server, too."""
    house = auth.house(request)
    auth.require_same_origin(request)
    with house.database.transaction() as session:
        accounts.sign_out(session, request.cookies.get(auth.COOKIE, ""), now=house.now())
    response = RedirectResponse("/", status_code=303, headers=NO_STORE)
    response.delete_cookie(auth.COOKIE)
    return response


def me(request: Request) -> Response:
    """A fragment for the head of each page: who is signed in, and the way out; 204 for strangers."""
    with auth.house(request).database.transaction() as session:
        person = auth.person(request, session)
    if person is None:
        return Response(status_code=204, headers=NO_STORE)
    return render.fragment(request, "me.html", handle=person.handle)
