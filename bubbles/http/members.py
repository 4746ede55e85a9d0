"""Who is in a channel's team: told to the team, kept by its owners, and left by whoever wants to.

Who asks is judged in a transaction of its own: it notes that their token was used, and whoever holds a token's row must
not wait for its account, which is locked first by what revokes all tokens.
"""

from typing import Any

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles import accounts, channels, policy
from bubbles.db import accounts as account_rows
from bubbles.db import channels as channel_rows
from bubbles.errors import Code, Refused
from bubbles.http import auth, present
from bubbles.http.body import json_object
from bubbles.http.caching import NO_STORE
from bubbles.model.account import Account
from bubbles.model.channel import Channel, Membership, Role
from bubbles.model.draft import choice
from bubbles.policy import Action, Person


def index(request: Request) -> Response:
    """The team, owners first."""
    with auth.house(request).database.transaction() as session:
        channel, _, _ = auth.team(request, session)
        items = [present.member(*each) for each in channel_rows.team(session, channel.id)]
    return JSONResponse({"items": items}, headers=NO_STORE)


async def put(request: Request) -> Response:
    """PUT: an owner gives an account a role."""
    sent = await json_object(request)
    return await run_in_threadpool(_put, request, sent)


def _put(request: Request, sent: dict[str, Any]) -> Response:
    house = auth.house(request)
    with house.database.transaction() as session:
        channel, who, _ = auth.team(request, session)
        if set(sent) != {"role"}:
            raise Refused(Code.BAD_REQUEST, "Send {role}.")
        role = choice(Role, sent["role"], what="role")
        account = accounts.require(session, request.path_params["account"])
        if role is Role.OWNER:
            _require_sharable(session, channel, account)
    with house.database.transaction() as session:
        _require_still(session, Action.KEEP_MEMBERS, who, channel, account)
        member = channels.set_member(session, channel, account, role, now=house.now())
        told = present.member(member, account.handle)
    return JSONResponse(told, headers=NO_STORE)


def _require_sharable(session: Session, channel: Channel, account: Account) -> None:
    """Raises `conflict` for another owner of somebody's own channel: whoever leaves would leave it to them, unasked."""
    if account.handle != channel.handle and account_rows.by_handle(session, channel.handle) is not None:
        raise Refused(Code.CONFLICT, f"@{channel.handle} is an account's own channel: it has one owner.")


def remove(request: Request) -> Response:
    """DELETE: an owner takes somebody out, or a member leaves."""
    house = auth.house(request)
    with house.database.transaction() as session:
        channel, who, role = auth.team(request, session)
        account = accounts.require(session, request.path_params["account"])
        wanted = Action.LEAVE_TEAM if account.id == who.account_id else Action.KEEP_MEMBERS
        policy.require(wanted, who, policy.standing(who, role))
    with house.database.transaction() as session:
        _require_still(session, wanted, who, channel, account)
        channels.remove_member(session, channel, account)
    return Response(status_code=204)


def _require_still(session: Session, wanted: Action, who: Person, channel: Channel, account: Account) -> None:
    """Judges who asks once more, with the team held: they may have been taken out of it while they waited."""
    channels.hold(session, channel, account)
    member: Membership | None = channel_rows.membership(session, channel.id, who.account_id, anew=True)
    policy.require(wanted, who, policy.standing(who, Role(member.role) if member else None))
