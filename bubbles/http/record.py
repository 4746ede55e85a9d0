"""Who is here to record, as a program asks: the account, and the channels that it may publish in."""

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles import policy
from bubbles.db import channels
from bubbles.http import auth, present
from bubbles.http.caching import NO_STORE
from bubbles.model.channel import Role
from bubbles.policy import Action, Person


def me(request: Request) -> Response:
    """`{handle, channels}`; for a stranger null and none, since a page that asks has done nothing wrong."""
    house = auth.house(request)
    with house.database.transaction() as session:
        who = auth.person(request, session)
        teams = _teams(session, who, house.settings.public_url) if who else []
    return JSONResponse({"handle": who.handle if who else None, "channels": teams}, headers=NO_STORE)


def _teams(session: Session, who: Person, base_url: str) -> list[present.Json]:
    """The channels that the person may publish in, their own first."""
    return [
        present.channel(channel, base_url) | {"role": role}
        for channel, role in channels.of_account(session, who.account_id, first=who.handle)
        if policy.may(Action.PUBLISH, policy.standing(who, Role(role)))
    ]
