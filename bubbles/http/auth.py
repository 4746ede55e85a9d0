"""Who asks, and the one way to a bubble or a channel: with that person and what they want to do.

What a request wants is the `Action` beside its handler in the table of `routes.py`.
"""

from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from urllib.parse import urlsplit

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from bubbles import ids, policy
from bubbles.app import House
from bubbles.db import accounts, bubbles, channels
from bubbles.errors import Code, Refused
from bubbles.http import bearer
from bubbles.http.log import note
from bubbles.model.account import Account, WebSession
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel, Role
from bubbles.policy import Action, Person

COOKIE = "bubbles_session"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
LOCAL_HOSTS = {"localhost", "127.0.0.1"}
DEFAULT_PORTS = {"http": 80, "https": 443}


def house(request: Request) -> House:
    """All that the application is made of."""
    found: House = request.app.state.house
    return found


def cookie_name(request: Request, cookie: str = COOKIE) -> str:
    """How a cookie of the door is called: over https so that no neighbouring host can set one (RFC 6265bis, 4.1.3)."""
    return f"__Host-{cookie}" if house(request).settings.public_url.startswith("https://") else cookie


def keep_cookie(request: Request, response: Response, value: str, *, cookie: str = COOKIE, age_s: int) -> None:
    """Gives the browser a cookie of the door, which no script reads and no other site has sent along."""
    name = cookie_name(request, cookie)
    response.set_cookie(name, value, max_age=age_s, httponly=True, samesite="lax", secure=name != cookie)


def drop_cookie(request: Request, response: Response, *, cookie: str = COOKIE) -> Response:
    """Takes it from the browser again."""
    name = cookie_name(request, cookie)
    response.delete_cookie(name, httponly=True, samesite="lax", secure=name != cookie)
    return response


def action(request: Request) -> Action:
    """What the request wants, from the URL table."""
    wanted: Action = request.app.state.actions[request.scope["endpoint"]]
    return wanted


def person(request: Request, session: Session) -> Person | None:
    """Who asks, by `Authorization: Bearer` or by cookie; None for a stranger.

    Raises `unauthorised` for a token that is unknown, revoked or has ended, and `forbidden` for one that is limited to
    something else, and for a change that a browser was talked into by another site.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme:
        told = secret.strip() if scheme.lower() == "bearer" else ""
        return bearer.holder(session, told, action=action(request), now=house(request).now())
    account = _of_cookie(request, session)
    return Person(account.id, account.handle) if account else None


def _of_cookie(request: Request, session: Session) -> Account | None:
    found = own(request, session)
    return found.account if found else None


@dataclass(frozen=True)
class Own:
    """An account, and the session in which its owner asks."""

    account: Account
    session: WebSession


def own(request: Request, session: Session) -> Own | None:
    """Who asks, by cookie alone: a token publishes, it does not open the account that it is of.

    Raises `forbidden` as `person` does. Notes the day on which the session was seen.
    """
    cookie, now = request.cookies.get(cookie_name(request)), house(request).now()
    if not cookie:
        return None
    require_same_origin(request)
    found = accounts.of_web_session(session, ids.hashed(cookie), now)
    if found is None:
        return None
    accounts.seen(session, found[1], now.astimezone(UTC).date())
    return Own(*found)


def require_own(request: Request, session: Session) -> Own:
    """The same, where the table lets oneself do what the request wants; raises `unauthorised` for a stranger."""
    found = own(request, session)
    if found is None or not policy.may(action(request), policy.Standing.SELF):
        raise Refused(Code.UNAUTHORISED, "Sign in to do this.")
    return found


def require_person(request: Request, session: Session) -> Person:
    """Who asks; raises `unauthorised` for a stranger."""
    who = person(request, session)
    if who is None:
        raise Refused(Code.UNAUTHORISED, "Sign in, or send a token, to do this.")
    return who


def require_same_origin(request: Request) -> None:
    """Raises `forbidden` for a change that comes from another site's page, by `Sec-Fetch-Site`, else by `Origin`."""
    if request.method in SAFE_METHODS:
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = origins(house(request).settings.public_url)
    trusted = site in {"same-origin", "none"} if site else origin is None or origin in ours
    if not trusted:
        raise Refused(Code.FORBIDDEN, "This change came from another site's page.")


@lru_cache(maxsize=8)
def origins(url: str) -> frozenset[str]:
    """The origins of a public address as browsers write them; this machine is known by two names."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    hosts = LOCAL_HOSTS if host in LOCAL_HOSTS else {f"[{host}]" if ":" in host else host}
    port = "" if parts.port in {None, DEFAULT_PORTS.get(parts.scheme)} else f":{parts.port}"
    return frozenset(f"{parts.scheme}://{host}{port}" for host in hosts)


def bubble(request: Request, session: Session) -> tuple[Bubble, Person | None, Role | None]:
    """The bubble of the path, if who asks may do what the request wants; raises `not_found`, `forbidden`, ..."""
    who, code = person(request, session), request.path_params["code"]
    known = ids.CODE_PATTERN.fullmatch(code)
    found = bubbles.by_code(session, code, account_id=who.account_id if who else None) if known else None
    if found is None:
        raise policy.not_found()
    note(request, bubble_id=found[0].id)
    role = policy.role_for(action(request), who, found[1], author_id=found[0].author_id)
    policy.require_bubble(action(request), who, role, found[0])
    return found[0], who, role


def bubble_for_anyone(request: Request, session: Session, code: str) -> Bubble:
    """The bubble as a stranger may see it, whoever asks: no cookie and no token is looked at; raises `not_found`."""
    found = bubbles.by_code(session, code, account_id=None) if ids.CODE_PATTERN.fullmatch(code) else None
    if found is None:
        raise policy.not_found()
    note(request, bubble_id=found[0].id)
    policy.require_bubble(action(request), None, None, found[0])
    return found[0]


def channel(request: Request, session: Session, handle: str) -> tuple[Channel, Person | None, Role | None]:
    """A channel, if who asks may do what the request wants with it."""
    who = person(request, session)
    found, role = _channel(session, handle, who)
    role = policy.role_for(action(request), who, role)
    policy.require(action(request), who, policy.standing(who, role))
    return found, who, role


def team(request: Request, session: Session) -> tuple[Channel, Person, Role]:
    """The channel of the path, for its team; to everybody else its team is as unknown as a channel that is not there.

    Raises `unauthorised` for a stranger, `not_found`, and `forbidden` for a member who may not do it.
    """
    who = require_person(request, session)
    found, role = _channel(session, request.path_params["handle"], who)
    if role is None:
        raise _no_such_channel()
    policy.require(action(request), who, policy.standing(who, role))
    return found, who, role


def _channel(session: Session, handle: str, who: Person | None) -> tuple[Channel, Role | None]:
    found = channels.by_handle(session, handle.lower()) if handle.isprintable() else None
    if found is None or not channels.owners(session, found.id):  # whose owners have all left is closed
        raise _no_such_channel()
    member = channels.membership(session, found.id, who.account_id) if who else None
    return found, Role(member.role) if member else None


def _no_such_channel() -> Refused:
    return Refused(Code.NOT_FOUND, "There is no such channel.")
