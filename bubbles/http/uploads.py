"""POST /api/bubbles: a recording with a place becomes a bubble."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial

from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles import accept, legal, policy
from bubbles.accept import Ticket, UploadLimits, Usual
from bubbles.app import House
from bubbles.db import bubbles, channels
from bubbles.errors import Code, Refused
from bubbles.http import auth, lane, present
from bubbles.http.caching import NO_STORE
from bubbles.http.log import note
from bubbles.http.multipart import Form, receive
from bubbles.meters import UPLOADS
from bubbles.model import draft
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Role
from bubbles.model.draft import Draft
from bubbles.model.licence import Licence
from bubbles.policy import Action, Person

PROBE_WAIT_S = 30
KEY_INDEX = "upload_key"
"""The index by which an account has a key once."""


async def publish(request: Request) -> Response:
    """202 with the bubble once it can no longer be lost; a refusal keeps nothing."""
    house = auth.house(request)
    person, ticket = await lane.for_upload(request.app, partial(_open, request))
    async with _closed_when_refused(request.app, ticket), _kept_alive(house, ticket), _counted():
        settings = house.settings
        settings.uploads_dir.mkdir(mode=0o700, exist_ok=True)
        async with (
            receive(
                request,
                settings.uploads_dir,
                max_bytes=settings.request_max_bytes,
                timeout_s=settings.upload_timeout_s,
            ) as form,
            _turn(request.app.state.probes),
        ):
            bubble, sent = await run_in_threadpool(_accept, house, person, ticket, form)
    note(request, bubble_id=bubble.id)
    return await lane.for_upload(request.app, partial(_accepted, house, person, bubble, sent))


def _open(request: Request) -> tuple[Person, Ticket]:
    house = auth.house(request)
    limits = UploadLimits(
        per_hour=house.settings.uploads_per_hour,
        at_once=house.settings.uploads_at_once,
    )
    with house.database.transaction() as session:
        person = auth.require_person(request, session)
        key = request.headers.get("idempotency-key")
        return person, accept.open_upload(session, person, idempotency_key=key, limits=limits, now=house.now())


def _accept(house: House, person: Person, ticket: Ticket, form: Form) -> tuple[Bubble, Draft]:
    sent = draft.parse(form.fields, limits=house.text_limits, now=house.now())
    with _key_is_a_conflict():
        bubble = accept.accept(
            house.database,
            house.blobs,
            person=person,
            ticket=ticket,
            draft=sent,
            received=form.received,
            limits=house.probe_limits,
            silence_dbfs=house.settings.silence_dbfs,
            now=house.now(),
            usual=Usual(Licence(house.settings.licence), legal.terms_version(house.settings.legal)),
        )
    return bubble, sent


@contextmanager
def _key_is_a_conflict() -> Iterator[None]:
    """An upload that outlived its time may find that its key has gone to another."""
    try:
        yield
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) != KEY_INDEX:
            raise
        raise Refused(Code.CONFLICT, "Another upload has used this Idempotency-Key meanwhile.") from None


@asynccontextmanager
async def _closed_when_refused(app: Starlette, ticket: Ticket) -> AsyncIterator[None]:
    """Ends the try, with the code of what went wrong, so that its key is free and its place among the few too."""
    try:
        yield
    except BaseException as error:
        outcome = error.code if isinstance(error, Refused) else type(error).__name__
        closing = partial(_close, app.state.house, ticket, str(outcome))
        await asyncio.shield(lane.for_upload(app, closing))
        raise


@asynccontextmanager
async def _counted() -> AsyncIterator[None]:
    with UPLOADS.track_inprogress():
        yield


@asynccontextmanager
async def _kept_alive(house: House, ticket: Ticket) -> AsyncIterator[None]:
    """Signs of life meanwhile, so that an upload that dies with its process does not hold its key for long."""
    beating = asyncio.create_task(_beat(house, ticket))
    try:
        yield
    finally:
        beating.cancel()


async def _beat(house: House, ticket: Ticket) -> None:
    while True:
        await asyncio.sleep(accept.BEAT_S)
        with suppress(SQLAlchemyError):  # a missed beat is none: the next one tells
            await run_in_threadpool(_sign_of_life, house, ticket)


def _sign_of_life(house: House, ticket: Ticket) -> None:
    with house.database.transaction() as session:
        accept.keep_alive(session, ticket, now=house.now())


def _close(house: House, ticket: Ticket, outcome: str) -> None:
    with house.database.transaction() as session:
        accept.close_upload(session, ticket, outcome=outcome, now=house.now())


@asynccontextmanager
async def _turn(probes: asyncio.Semaphore) -> AsyncIterator[None]:
    """One of the few places to decode in; raises `unavailable` when none comes free in `PROBE_WAIT_S`."""
    try:
        async with asyncio.timeout(PROBE_WAIT_S):
            await probes.acquire()
    except TimeoutError:
        raise Refused(Code.UNAVAILABLE, "Too many recordings arrive just now.", retry_after_s=PROBE_WAIT_S) from None
    try:
        yield
    finally:
        probes.release()


def _accepted(house: House, person: Person, bubble: Bubble, sent: Draft) -> Response:
    with house.database.transaction() as session:
        body = _told(session, house, person, bubble, sent)
    return JSONResponse(body, status_code=202, headers=NO_STORE | {"Location": body["url"]})


def _told(session: Session, house: House, person: Person, bubble: Bubble, sent: Draft) -> present.Json:
    """A bubble as its team is told; who has left the team since they sent it is told what they sent."""
    (whole,) = bubbles.whole(session, [bubble])
    member = channels.membership(session, bubble.channel_id, person.account_id)
    stands = policy.standing(person, Role(member.role) if member else None, author_id=bubble.author_id)
    if policy.may(Action.SEE_TEAM, stands):
        return present.bubble(whole, house.settings.public_url, for_team=True)
    return present.sent(whole, sent, house.settings.public_url, usual=Licence(house.settings.licence))
