"""POST /account/delete: someone leaves, once they have typed their handle and, where there is one, their password."""

from starlette.requests import Request
from starlette.responses import Response

from bubbles import attempts, leave, sign_in
from bubbles.db import accounts
from bubbles.errors import Code, Refused
from bubbles.http import auth, gate, render
from bubbles.http.account_forms import Fields, change
from bubbles.http.auth import Own
from bubbles.http.caching import NEVER_STORED
from bubbles.http.told import Told
from bubbles.leave import OnlyOwner
from bubbles.model.account import Way


@change("leaving")
def delete(request: Request, fields: Fields) -> Response:
    """Closes the account and hides what is theirs alone, which the worker then withdraws; what a team shares stays
    unless they say otherwise.
    """
    house = auth.house(request)
    _require_meant(request, fields)
    try:
        with house.database.transaction() as session:
            own = auth.require_own(request, session)
            leave.leave(session, own.account, everywhere=fields.get("everywhere") == "yes", now=house.now())
    except OnlyOwner as refused:
        raise Told(Code.CONFLICT, "only_owner", about=refused.handle) from None
    response = render.page(request, "left.html", cache=NEVER_STORED, back="/", robots="noindex")
    response.delete_cookie(auth.COOKIE)
    return response


def _require_meant(request: Request, fields: Fields) -> None:
    """Raises unless the handle is the account's and the password is right; guesses count like guesses at the door."""
    house = auth.house(request)
    with house.database.transaction() as session:
        own = auth.require_own(request, session)
        if fields.get("handle", "").strip().lower().removeprefix("@") != own.account.handle:
            raise Told(Code.BAD_REQUEST, "handle_wrong")
        if not _needs_password(request, own):
            return
        limits = [gate.of_handle(request, Way.PASSWORD, own.account.handle), gate.of_network(request)]
        attempts.begin(session, limits, now=house.now())
    try:
        sign_in.by_password(house.database, own.account.handle, fields.get("present", ""))
    except Refused:
        raise Told(Code.FORBIDDEN, "present_wrong") from None


def _needs_password(request: Request, own: Own) -> bool:
    house = auth.house(request)
    with house.database.transaction() as session:
        kept = accounts.password(session, own.account.id)
    return sign_in.needs_present_password(own.session, kept, now=house.now())
