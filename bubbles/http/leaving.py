"""POST /account/delete: someone leaves, once they have typed their handle and shown that it is they."""

from starlette.requests import Request
from starlette.responses import Response

from bubbles import leave
from bubbles.errors import Code
from bubbles.http import auth, known, render, sessions
from bubbles.http.account_forms import Fields, change
from bubbles.http.auth import Own
from bubbles.http.caching import NEVER_STORED
from bubbles.http.told import Told
from bubbles.leave import OnlyOwner
from bubbles.model.texts import typed_handle


@change("leaving", proven=True)
def delete(request: Request, fields: Fields) -> Response:
    """Closes the account and hides what is theirs alone, which the worker then withdraws; what a team shares stays
    unless they say otherwise.
    """
    house = auth.house(request)
    try:
        with house.database.transaction() as session:
            own = auth.require_own(request, session)
            _require_meant(fields, own)
            leave.leave(session, own.account, everywhere=fields.get("everywhere") == "yes", now=house.now())
    except OnlyOwner as refused:
        raise Told(Code.CONFLICT, "only_owner", about=refused.handle) from None
    response = render.page(request, "left.html", cache=NEVER_STORED, back="/", robots="noindex")
    return known.tidied(request, sessions.forget(request, response))


def _require_meant(fields: Fields, own: Own) -> None:
    """Raises unless the handle that was typed is the account's."""
    if typed_handle(fields.get("handle", "")) != own.account.handle:
        raise Told(Code.BAD_REQUEST, "handle_wrong")
