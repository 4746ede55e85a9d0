"""What the forms of /account change. Each takes a form from our own page, by who is signed in, and leads back there."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import wraps

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bubbles import accounts, attempts, invitations, passkeys, sign_in
from bubbles.db import accounts as account_rows
from bubbles.errors import Code, Refused
from bubbles.http import auth, gate, render, sessions
from bubbles.http.account import show, to_sign_in
from bubbles.http.auth import Own
from bubbles.http.body import form_fields
from bubbles.http.caching import NEVER_STORED
from bubbles.http.told import Told
from bubbles.model import password as passwords
from bubbles.model.account import Way
from bubbles.model.passkey import NAME_MAX
from bubbles.model.texts import clean_line

Fields = dict[str, str]
Change = Callable[[Request, Fields], Response]
KEY_MAX = 2**63 - 1


def change(section: str) -> Callable[[Change], Callable[[Request], Awaitable[Response]]]:
    """A form of that section of the page; what is refused is told there."""

    def decorated(handler: Change) -> Callable[[Request], Awaitable[Response]]:
        @wraps(handler)
        async def endpoint(request: Request) -> Response:
            auth.require_same_origin(request)
            return await run_in_threadpool(_told, request, handler, section, await form_fields(request))

        return endpoint

    return decorated


def _told(request: Request, handler: Change, section: str, fields: Fields) -> Response:
    try:
        return handler(request, fields)
    except Refused as refused:
        if refused.code is Code.UNAUTHORISED:
            return to_sign_in()
        return show(request, refused=refused, section=section)


def done(what: str, section: str) -> Response:
    """Back to the page, which says so."""
    return sessions.to(f"/account?done={what}#{section}")


def _own(request: Request, session: Session) -> Own:
    return auth.require_own(request, session)


def _key(fields: Fields, name: str) -> int:
    """The row that a button names; raises `bad_request`."""
    text = fields.get(name, "")
    if not (text.isascii() and text.isdigit()) or int(text) > KEY_MAX:
        raise Refused(Code.BAD_REQUEST, f"{name} is a number.")
    return int(text)


# The password


@change("password")
def set_password(request: Request, fields: Fields) -> Response:
    """Sets a new password; the other sessions end unless they are to stay."""
    house, now = auth.house(request), auth.house(request).now()
    begun = _admitted(request, fields)
    kept_hash = passwords.hashed(fields["password"])
    with house.database.transaction() as session:
        own = _own(request, session)
        attempts.forgive(session, begun)
        sign_in.set_password(session, own.account, kept_hash, now=now)
        if fields.get("others") == "end":
            sign_in.end_sessions(session, own.account, but=own.session.id, now=now)
    return done("password", "password")


def _admitted(request: Request, fields: Fields) -> list[int]:
    """Whether the new password will do and the present one, where it is asked for, is right; else raises.

    Guesses at the present one count like guesses at the door. Returns the attempts that are to be forgiven.
    """
    house = auth.house(request)
    with house.database.transaction() as session:
        own = _own(request, session)
        weakness = passwords.weakness(fields.get("password", ""), handle=own.account.handle)
        if weakness:
            raise Told(Code.BAD_TEXT, f"password_{weakness}")
        kept = account_rows.password(session, own.account.id)
        if not sign_in.needs_present_password(own.session, kept, now=house.now()):
            return []
        limits = [gate.of_handle(request, Way.PASSWORD, own.account.handle), gate.of_network(request)]
        begun = attempts.begin(session, limits, now=house.now())
    try:
        sign_in.by_password(house.database, own.account.handle, fields.get("present", ""))
    except Refused:
        raise Told(Code.FORBIDDEN, "present_wrong") from None
    return begun


# Passkeys


@change("passkeys")
def rename_passkey(request: Request, fields: Fields) -> Response:
    """Names a passkey."""
    name = clean_line(fields.get("name", ""), what="name", length_max=NAME_MAX)
    with auth.house(request).database.transaction() as session:
        passkeys.rename(session, _own(request, session).account, _key(fields, "passkey"), name)
    return done("passkey_named", "passkeys")


@change("passkeys")
def remove_passkey(request: Request, fields: Fields) -> Response:
    """Lets a passkey in no more."""
    with auth.house(request).database.transaction() as session:
        passkeys.remove(session, _own(request, session).account, _key(fields, "passkey"))
    return done("passkey_removed", "passkeys")


# Recovery codes


@change("codes")
def renew_codes(request: Request, fields: Fields) -> Response:
    """Makes ten new recovery codes and shows them, this once; those from before are void."""
    house = auth.house(request)
    with house.database.transaction() as session:
        codes = sign_in.new_recovery_codes(session, _own(request, session).account, now=house.now())
    return render.page(
        request,
        "recovery_codes.html",
        cache=NEVER_STORED,
        codes=codes,
        is_new=False,
        onward="/account#codes",
        back="/account",
        robots="noindex",
    )


# Sessions


@change("sessions")
def end_session(request: Request, fields: Fields) -> Response:
    """Ends one session, or all others."""
    house = auth.house(request)
    with house.database.transaction() as session:
        own = _own(request, session)
        if "others" in fields:
            sign_in.end_sessions(session, own.account, but=own.session.id, now=house.now())
        else:
            sign_in.end_session(session, own.account, _key(fields, "session"), now=house.now())
    return done("sessions_ended" if "others" in fields else "session_ended", "sessions")


# Tokens


@change("tokens")
def make_token(request: Request, fields: Fields) -> Response:
    """Makes a token and shows it, this once."""
    house = auth.house(request)
    name = clean_line(fields.get("name", ""), what="name", length_max=NAME_MAX)
    with house.database.transaction() as session:
        secret = accounts.new_token(session, _own(request, session).account, name=name, now=house.now())
    return show(request, new_token=secret)


@change("tokens")
def revoke_token(request: Request, fields: Fields) -> Response:
    """Lets a token in no more."""
    house = auth.house(request)
    with house.database.transaction() as session:
        accounts.revoke_token(session, _own(request, session).account, _key(fields, "token"), now=house.now())
    return done("token_revoked", "tokens")


# Invitations


@change("invitations")
def invite(request: Request, fields: Fields) -> Response:
    """Makes an invitation and shows its link, this once."""
    house = auth.house(request)
    if house.settings.registration != "invite":
        raise Refused(Code.FORBIDDEN, "Nobody is invited here.")
    with house.database.transaction() as session:
        code = invitations.make(
            session,
            _own(request, session).account,
            now=house.now(),
            valid_for=timedelta(days=house.settings.invitation_days),
            per_day=house.settings.invitations_per_day,
        )
    return show(request, new_invitation=f"{house.settings.public_url}/sign-up?invitation={code}")
