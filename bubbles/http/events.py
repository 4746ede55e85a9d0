"""GET /api/bubbles/{code}/events: the states of a bubble as they come, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from bubbles.absences import ABSENCES
from bubbles.app import House
from bubbles.db import away, bubbles, steps
from bubbles.errors import Refused
from bubbles.http import auth, present, visitors
from bubbles.http.bubbles import queue
from bubbles.http.caching import NO_STORE
from bubbles.http.follow import Hub, Seen
from bubbles.http.visitors import Address
from bubbles.model.bubble import Bubble, State
from bubbles.model.step import StepName
from bubbles.model.transcript import TranscriptState

ASK_AGAIN_S = 15.0
"""After so long it is asked again whether a follower may know, and a comment keeps the line open."""

LASTS_S = 15 * 60
ENDED = {State.READY, State.FAILED, State.REFUSED, State.WITHDRAWN}
HEADERS = NO_STORE | {"X-Accel-Buffering": "no"}


async def events(request: Request) -> Response:
    """An event `state` at once and at each change, until the journey has ended; a comment keeps the line open."""
    hub, address = Hub.of(request.app), visitors.address(request)
    hub.sit(address)
    try:
        first = await run_in_threadpool(_seen_by, request)
    except BaseException:
        hub.stand_up(address)
        raise
    return Stream(_stream(request, first), hub, address)


class Stream(StreamingResponse):
    """Gives its seat back however it ends, even before its first byte."""

    def __init__(self, content: AsyncIterator[str], hub: Hub, address: Address | None) -> None:
        super().__init__(content, media_type="text/event-stream", headers=HEADERS)
        self._hub = hub
        self._address = address

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Streams."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._hub.stand_up(self._address)


async def _stream(request: Request, seen: Seen) -> AsyncIterator[str]:
    house, code = auth.house(request), request.path_params["code"]
    ends_s = asyncio.get_running_loop().time() + LASTS_S
    with Hub.of(request.app).watching(code, seen, lambda: run_in_threadpool(_look, house, code)) as watch:
        yield _event(seen)
        while not seen.has_ended and asyncio.get_running_loop().time() < ends_s:
            latest = await watch.change(seen, timeout_s=ASK_AGAIN_S)
            is_new = latest != seen
            if latest is None or not ((is_new and latest.is_open) or await _may_know(request)):
                return
            seen = latest
            yield _event(seen) if is_new else ": still here\n\n"


async def _may_know(request: Request) -> bool:
    """Whether who follows may still know of the bubble: it was hidden, or their token was revoked."""
    try:
        await run_in_threadpool(_require_known, request)
    except Refused:
        return False
    except SQLAlchemyError as error:
        if not away.is_troubled(error):
            raise
        ABSENCES.missed("database", away.detail(error))
        return False  # they come again by themselves
    return True


def _require_known(request: Request) -> None:
    with auth.house(request).database.transaction() as session:
        auth.bubble(request, session)


def _seen_by(request: Request) -> Seen:
    with auth.house(request).database.transaction() as session:
        bubble, _, _ = auth.bubble(request, session)
        return _seen(session, bubble)


def _look(house: House, code: str) -> Seen | None:
    with house.database.transaction() as session:
        found = bubbles.by_code(session, code, account_id=None)
        return _seen(session, found[0]) if found else None


def _seen(session: Session, bubble: Bubble) -> Seen:
    by_name, said = steps.of_bubble(session, bubble.id), bubbles.transcript(session, bubble.id)
    writing = by_name.get(StepName.TRANSCRIBE)
    words = present.transcript_state(said, writing)
    told = {
        "code": bubble.code,
        "state": bubble.state,
        "transcript": {"state": words, "waiting_for": writing.waiting_for if writing else None},
        "queue": queue(session, bubble, by_name),
    }
    has_ended = bubble.state in ENDED or words == TranscriptState.FAILED
    return Seen(told, is_open=bubble.shown_to_strangers, has_ended=has_ended)


def _event(seen: Seen) -> str:
    return f"event: state\ndata: {json.dumps(seen.told)}\n\n"
