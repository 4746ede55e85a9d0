"""GET /api/bubbles/{code}/events: the states of a bubble as they come, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bubbles.db import bubbles
from bubbles.errors import Code, Refused
from bubbles.http import auth, present
from bubbles.http.bubbles import queue
from bubbles.model.bubble import State
from bubbles.model.transcript import TranscriptState

LOOK_EVERY_S = 0.5
KEEP_ALIVE_S = 15
LASTS_S = 15 * 60
STREAMS_MAX = 200
ENDED = {State.READY, State.FAILED, State.REFUSED, State.WITHDRAWN}


async def events(request: Request) -> Response:
    """An event `state` at once and at each change, until the journey has ended; a comment keeps the line open."""
    first = await run_in_threadpool(_look, request)
    if request.app.state.streams >= STREAMS_MAX:
        raise Refused(Code.UNAVAILABLE, "Too many follow their bubbles just now.", retry_after_s=10)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(request, first), media_type="text/event-stream", headers=headers)


async def _stream(request: Request, told: present.Json) -> AsyncIterator[str]:
    request.app.state.streams += 1
    try:
        yield _event(told)
        quiet_s = 0.0
        for _ in range(int(LASTS_S / LOOK_EVERY_S)):
            if _has_ended(told):
                return
            await asyncio.sleep(LOOK_EVERY_S)
            quiet_s += LOOK_EVERY_S
            try:
                latest = await run_in_threadpool(_look, request)
            except Refused:  # withdrawn, or hidden from who asks
                return
            if latest != told:
                told, quiet_s = latest, 0.0
                yield _event(told)
            elif quiet_s >= KEEP_ALIVE_S:
                quiet_s = 0.0
                yield ": still here\n\n"
    finally:
        request.app.state.streams -= 1


def _look(request: Request) -> present.Json:
    house = auth.house(request)
    with house.database.transaction() as session:
        bubble, _, _ = auth.bubble(request, session)
        (whole,) = bubbles.whole(session, [bubble])
        waiting = present.transcript(whole)
        return {
            "code": bubble.code,
            "state": bubble.state,
            "transcript": {"state": waiting["state"], "waiting_for": waiting["waiting_for"]},
            "queue": queue(session, whole),
        }


def _has_ended(told: present.Json) -> bool:
    return told["state"] in ENDED or told["transcript"]["state"] == TranscriptState.FAILED


def _event(told: present.Json) -> str:
    return f"event: state\ndata: {json.dumps(told)}\n\n"
