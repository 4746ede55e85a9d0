"""What the forms of /account change. Each takes a form from our own page, by who is signed in, and leads back there."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bubbles import accounts, invitations, known_browsers, passkeys, sign_in, sign_in_attempts
from bubbles.errors import Code, Refused
from bubbles.http import auth, gate, known, onward, proof, render
from bubbles.http.account import show
from bubbles.http.auth import Own
from bubbles.http.body import form_fields
from bubbles.http.caching import NEVER_STORED
from bubbles.http.told import Told
from bubbles.model import password as passwords
from bubbles.model.passkey import NAME_MAX
from bubbles.model.texts import clean_line
from bubbles.model.token import DAYS_MAX, Scope

Fields = dict[str, str]
Change = Callable[[Request, Fields], Response]
Made = Callable[[Request, Fields], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]
KEY_MAX = 2**63 - 1


def change(section: str, *, proven: bool = False) -> Callable[[Change], Endpoint]:
    """A form of that section of the page; what is refused is told there. `proven`: only once `proof` is satisfied."""

    def decorated(handler: Change) -> Endpoint:
        @_telling(section)
        @wraps(handler)
        async def made(request: Request, fields: Fields) -> Response:
            if proven:
                await proof.require_present(request, fields.get("present", ""))
            return await run_in_threadpool(handler, request, fields)

        return made

    return decorated


def _telling(section: str) -> Callable[[Made], Endpoint]:
    def decorated(handler: Made) -> Endpoint:
        @wraps(handler)
        async def endpoint(request: Request) -> Response:
            auth.require_same_origin(request)
            try:
                return await handler(request, await form_fields(request))
            except Refused as refused:
                if refused.code is Code.UNAUTHORISED:
                    return onward.to_sign_in("/account")
                return await run_in_threadpool(show, request, refused=refused, section=section)

        return endpoint

    return decorated


def done(what: str, section: str) -> Response:
    """Back to the page, which says so."""
    return onward.to(f"/account?done={what}#{section}")


def _key(fields: Fields, name: str) -> int:
    """The row that a button names; raises `bad_request`."""
    if (found := _number(fields.get(name, ""), KEY_MAX)) is None:
        raise Refused(Code.BAD_REQUEST, f"{name} is a number.")
    return found


def _number(text: str, most: int) -> int | None:
    """A whole number up to `most`, None for any other text: looked at before it is read, however long it is."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    return int(text) if is_number and int(text) <= most else None


# The password


@_telling("password")
async def set_password(request: Request, fields: Fields) -> Response:
    """Sets a new password; the other sessions end unless they are to stay."""
    await run_in_threadpool(_require_strong, request, fields)
    await proof.require_present(request, fields.get("present", ""))
    shares = await run_in_threadpool(_count_new_password, request)
    kept_hash = await gate.hashed(request, fields["password"], shares)
    return await run_in_threadpool(_set, request, fields, kept_hash)


def _require_strong(request: Request, fields: Fields) -> None:
    with auth.house(request).database.transaction() as session:
        own = auth.require_own(request, session)
    weakness = passwords.weakness(fields.get("password", ""), handle=own.account.handle)
    if weakness:
        raise Told(Code.BAD_TEXT, f"password_{weakness}")


def _count_new_password(request: Request) -> Mapping[str, int]:
    """The shares that setting one has of the hashing; raises `rate_limited`."""
    house = auth.house(request)
    with house.database.transaction() as session:
        account = auth.require_own(request, session).account
        sign_in_attempts.begin(session, gate.of_new_password(request, account), now=house.now())
        return gate.of_owner(request, account)


def _set(request: Request, fields: Fields, kept_hash: str) -> Response:
    house, now = auth.house(request), auth.house(request).now()
    with house.database.transaction() as session:
        own = auth.require_own(request, session)
        sign_in.set_password(session, own.account, kept_hash, now=now)
        if fields.get("others") == "end":
            _end_others(request, session, own)
            sign_in.end_links(session, own.account, now=now)
        _end_tokens(session, own, fields, now)
    return done("password", "password")


def _end_tokens(session: Session, own: Own, fields: Fields, now: datetime) -> bool:
    """Revokes all tokens if that is asked for; returns whether it was."""
    is_asked = fields.get("tokens") == "end"
    if is_asked:
        accounts.revoke_tokens(session, own.account, now=now)
    return is_asked


# Passkeys


@change("passkeys")
def rename_passkey(request: Request, fields: Fields) -> Response:
    """Names a passkey."""
    name = clean_line(fields.get("name", ""), what="name", length_max=NAME_MAX)
    with auth.house(request).database.transaction() as session:
        passkeys.rename(session, auth.require_own(request, session).account, _key(fields, "passkey"), name)
    return done("passkey_named", "passkeys")


@change("passkeys", proven=True)
def remove_passkey(request: Request, fields: Fields) -> Response:
    """Lets a passkey in no more."""
    with auth.house(request).database.transaction() as session:
        passkeys.remove(session, auth.require_own(request, session).account, _key(fields, "passkey"))
    return done("passkey_removed", "passkeys")


# Recovery codes


@change("codes", proven=True)
def renew_codes(request: Request, fields: Fields) -> Response:
    """Makes ten new recovery codes and shows them, this once; those from before are void."""
    house = auth.house(request)
    with house.database.transaction() as session:
        codes = sign_in.new_recovery_codes(session, auth.require_own(request, session).account, now=house.now())
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
    """Ends one session, or all others; then no other browser is known any more either, and tokens end if asked."""
    return _end_all_others(request, fields) if "others" in fields else _end_one(request, fields)


def _end_one(request: Request, fields: Fields) -> Response:
    house = auth.house(request)
    with house.database.transaction() as session:
        account = auth.require_own(request, session).account
        sign_in.end_session(session, account, _key(fields, "session"), now=house.now())
    return done("session_ended", "sessions")


def _end_all_others(request: Request, fields: Fields) -> Response:
    house, now = auth.house(request), auth.house(request).now()
    with house.database.transaction() as session:
        own = auth.require_own(request, session)
        _end_others(request, session, own)
        tokens_too = _end_tokens(session, own, fields, now)
    return done("sessions_and_tokens_ended" if tokens_too else "sessions_ended", "sessions")


def _end_others(request: Request, session: Session, own: Own) -> None:
    """Leaves only the browser that asks signed in and known."""
    sign_in.end_sessions(session, own.account, but=own.session.id, now=auth.house(request).now())
    known_browsers.forget_all(session, own.account, but=known.cookie(request))


@change("browsers")
def forget_browser(request: Request, fields: Fields) -> Response:
    """Forgets a browser; nobody is signed out by it."""
    house = auth.house(request)
    with house.database.transaction() as session:
        account = auth.require_own(request, session).account
        known_browsers.forget(session, account, _key(fields, "browser"), now=house.now())
    return known.tidied(request, done("browser_forgotten", "browsers"))


# Tokens


@change("tokens", proven=True)
def make_token(request: Request, fields: Fields) -> Response:
    """Makes a token, limited as was chosen, and shows it, this once."""
    house, now = auth.house(request), auth.house(request).now()
    name = clean_line(fields.get("name", ""), what="name", length_max=NAME_MAX)
    scopes, valid_for = _scopes(fields), _valid_for(fields)
    try:
        with house.database.transaction() as session:
            account = auth.require_own(request, session).account
            secret = accounts.new_token(session, account, name=name, now=now, scopes=scopes, valid_for=valid_for)
    except Refused as refused:
        raise Told(refused.code, "tokens_full") if refused.code is Code.CONFLICT else refused from None
    return show(request, new_token=secret)


def _scopes(fields: Fields) -> frozenset[Scope] | None:
    """The scopes that were ticked; None for everything, which is what a form without that question asks for."""
    if fields.get("opens", "everything") == "everything":
        return None
    chosen = frozenset(scope for scope in Scope if fields.get(f"scope_{scope}") == "yes")
    if not chosen:
        raise Told(Code.BAD_REQUEST, "token_scopes")
    return chosen


def _valid_for(fields: Fields) -> timedelta | None:
    """The time until the end that was typed; None for no end."""
    text = fields.get("days", "").strip()
    if not text:
        return None
    if not (days := _number(text, DAYS_MAX)):
        raise Told(Code.BAD_REQUEST, "token_days")
    return timedelta(days=days)


@change("tokens")
def revoke_token(request: Request, fields: Fields) -> Response:
    """Lets a token in no more."""
    house = auth.house(request)
    with house.database.transaction() as session:
        accounts.revoke_token(
            session, auth.require_own(request, session).account, _key(fields, "token"), now=house.now()
        )
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
            auth.require_own(request, session).account,
            now=house.now(),
            valid_for=timedelta(days=house.settings.invitation_days),
            per_day=house.settings.invitations_per_day,
        )
    return show(request, new_invitation=f"{house.settings.public_url}/sign-up?invitation={code}")
