"""POST /api/listens: the player tells what was heard."""

from typing import Annotated

from pydantic import BaseModel, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bubbles import ids, listen, policy
from bubbles.db import bubbles
from bubbles.errors import Code, Refused
from bubbles.http import auth, visitors
from bubbles.http.body import json_object

BEACON_MAX_BYTES = 16 * 1024
MEDIA_TYPES = {"", "application/json", "text/plain"}
"""`sendBeacon` sends text/plain, or no type at all, where JSON would need a preflight."""

Second = Annotated[float, Field(allow_inf_nan=False, strict=True, ge=-1e9, le=1e9)]


class Beacon(BaseModel):
    """What a player tells: the parts heard in this play so far, `(start_s, end_s)` each; none as playing begins.

    `play` is made up by the player, at random, for each play.
    """

    code: Annotated[str, Field(pattern=rf"^{ids.CODE_PATTERN.pattern}$")]
    play: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    heard: Annotated[list[tuple[Second, Second]], Field(max_length=listen.PARTS_MAX)]


async def tell(request: Request) -> Response:
    """204, also when nothing new was told."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in MEDIA_TYPES:
        raise Refused(Code.BAD_REQUEST, "Send JSON, as application/json or text/plain.")
    sent = await json_object(request, max_bytes=BEACON_MAX_BYTES)
    try:
        beacon = Beacon.model_validate(sent)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(each) for each in first["loc"])
        raise Refused(Code.BAD_REQUEST, f"{where}: {first['msg']}.") from None
    return await run_in_threadpool(_tell, request, beacon)


def _tell(request: Request, beacon: Beacon) -> Response:
    house = auth.house(request)
    with house.database.transaction() as session:
        person = auth.person(request, session)
        found = bubbles.by_code(session, beacon.code, account_id=person.account_id if person else None)
        if found is None:
            raise policy.not_found()
        bubble, role = found
        seen = policy.role_for(auth.action(request), person, role, author_id=bubble.author_id)
        policy.require_bubble(auth.action(request), person, seen, bubble)
        if bubble.playable_at is None:
            raise policy.not_found()
        visitor = visitors.visitor(request, role)
        listen.tell(session, bubble, visitor, play=beacon.play, heard=beacon.heard, now=house.now())
    return Response(status_code=204)
