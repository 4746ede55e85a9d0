"""Passkeys as browsers speak of them, in JSON: challenges, and the answers to them."""

from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles import passkeys
from bubbles.config import Settings
from bubbles.errors import Code, Refused
from bubbles.http import auth, gate, onward, proof, sessions
from bubbles.http.body import json_object
from bubbles.http.caching import NO_STORE
from bubbles.http.sessions import Cookies
from bubbles.http.visitors import parsed
from bubbles.model.account import Way
from bubbles.model.passkey import NAME_MAX
from bubbles.model.password import LENGTH_MAX
from bubbles.model.texts import clean_line, typed_handle
from bubbles.passkeys import Site

ANSWER_MAX_BYTES = 32 * 1024


class Answer(BaseModel):
    """What a page sends: the credential as the browser gave it, where to go on to, and what to call a new passkey."""

    model_config = ConfigDict(extra="forbid")

    credential: dict[str, Any]
    handle: str = Field("", max_length=64)
    next: str = Field("", max_length=2048)
    name: str = Field("", max_length=4 * NAME_MAX)


class Presence(BaseModel):
    """What a page sends before it adds one: the present password, where the session is no proof any more."""

    present: str = Field("", max_length=LENGTH_MAX)


Sent = TypeVar("Sent", bound=BaseModel)


def site(settings: Settings) -> Site | None:
    """What passkeys are bound to; None where the public address is a number, which they refuse."""
    host = urlsplit(settings.public_url).hostname or ""
    return None if parsed(host) or not host else Site(host, auth.origins(settings.public_url))


def _site(request: Request) -> Site:
    found = site(auth.house(request).settings)
    if found is None:
        raise Refused(Code.BAD_REQUEST, "Passkeys need a host name in BUBBLES_BASE_URL.")
    return found


async def _parsed(request: Request, shape: type[Sent]) -> Sent:
    auth.require_same_origin(request)
    try:
        return shape.model_validate(await json_object(request, max_bytes=ANSWER_MAX_BYTES))
    except ValidationError:
        raise Refused(Code.BAD_REQUEST, "This is no answer of a passkey.") from None


def to_sign_in(request: Request) -> Response:
    """POST: what `navigator.credentials.get` takes. It names no credential, so it tells nothing of anyone."""
    house = auth.house(request)
    auth.require_same_origin(request)
    with house.database.transaction() as session:
        network = gate.pseudonym(request, session)
        told = passkeys.challenge_to_sign_in(session, _site(request), network=network, now=house.now())
    return JSONResponse(told, headers=NO_STORE)


async def sign_in(request: Request) -> Response:
    """POST: lets in whose passkey answered; with a handle, only if it is theirs."""
    return await run_in_threadpool(_sign_in, request, await _parsed(request, Answer))


def _sign_in(request: Request, answer: Answer) -> Response:
    try:
        cookies = _admitted(request, answer)
    except Refused:  # only wrong ones count: they are not guessed, and nobody's attempts keep out who has a right one
        gate.count_wrong(request)
        raise
    response = JSONResponse({"next": onward.ours(answer.next) or sessions.HOME}, headers=NO_STORE)
    return sessions.let_in(request, response, cookies)


def _admitted(request: Request, answer: Answer) -> Cookies:
    """A new session's cookies; raises `unauthorised`, `bad_request`."""
    house, site = auth.house(request), _site(request)
    with house.database.transaction() as session:
        challenge = passkeys.use_challenge(session, answer.credential, account=None, now=house.now())
    with house.database.transaction() as session:
        account = passkeys.use(session, site, answer.credential, challenge=challenge, now=house.now())
        if answer.handle.strip() and typed_handle(answer.handle) != account.handle:
            raise Refused(Code.UNAUTHORISED, passkeys.UNKNOWN)
        return sessions.begin(request, session, account, Way.PASSKEY)


async def to_add(request: Request) -> Response:
    """POST: what `navigator.credentials.create` takes, told only to who sits there: without it nothing is added."""
    body = await _parsed(request, Presence)
    await proof.require_present(request, body.present)
    return await run_in_threadpool(_to_add, request)


def _to_add(request: Request) -> Response:
    house = auth.house(request)
    with house.database.transaction() as session:
        account = auth.require_own(request, session).account
        network = gate.pseudonym(request, session)
        told = passkeys.challenge_to_add(session, _site(request), account, network=network, now=house.now())
    return JSONResponse(told, headers=NO_STORE)


async def add(request: Request) -> Response:
    """POST: keeps the passkey that the browser made; 204."""
    return await run_in_threadpool(_add, request, await _parsed(request, Answer))


def _add(request: Request, answer: Answer) -> Response:
    house, site = auth.house(request), _site(request)
    with house.database.transaction() as session:
        account = auth.require_own(request, session).account
        challenge = passkeys.use_challenge(session, answer.credential, account=account, now=house.now())
    name = clean_line(answer.name, what="name", length_max=NAME_MAX)
    with house.database.transaction() as session:
        passkeys.add(session, site, account, answer.credential, challenge=challenge, name=name, now=house.now())
    return Response(status_code=204, headers=NO_STORE)
