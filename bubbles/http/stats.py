"""GET the statistics of a bubble or a channel, as JSON or CSV: for its team only."""

import csv
import io

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles import stats
from bubbles.db.listening import Audience
from bubbles.errors import Code, Refused
from bubbles.http import auth
from bubbles.http.caching import NO_STORE
from bubbles.model.times import rfc3339
from bubbles.stats import Stats

NAMES = {Audience.LISTENER: "listeners", Audience.TEAM: "team", Audience.BOT: "bots"}


def of_bubble(request: Request) -> Response:
    """How a bubble was heard."""
    with auth.house(request).database.transaction() as session:
        bubble, _, _ = auth.bubble(request, session)
        told = stats.of_bubble(session, bubble.id or 0)
    return _answer(request, told, of={"code": bubble.code})


def of_channel(request: Request) -> Response:
    """How all bubbles of a channel were heard, together."""
    with auth.house(request).database.transaction() as session:
        channel, _, _ = auth.channel(request, session, request.path_params["handle"])
        told = stats.of_channel(session, channel.id or 0)
    return _answer(request, told, of={"channel": channel.handle})


def _answer(request: Request, told: Stats, *, of: dict[str, str]) -> Response:
    wanted = request.query_params.get("format", "json")
    if wanted == "csv":
        return Response(csv_of(told), headers=NO_STORE, media_type="text/csv")
    if wanted != "json":
        raise Refused(Code.BAD_REQUEST, "The format must be json or csv.")
    return JSONResponse(_json(told) | of | {"as_of": rfc3339(auth.house(request).now())}, headers=NO_STORE)


def _json(told: Stats) -> dict[str, object]:
    """Listeners' figures on top; the team's and bots' beside them, never added; `method` says what each means."""
    apart = {NAMES[audience]: told[audience] for audience in (Audience.TEAM, Audience.BOT)}
    return {**told[Audience.LISTENER], **apart, "method": stats.METHOD}


def csv_of(told: Stats) -> str:
    """One line an audience, the same cells as in JSON."""
    names = list(told[Audience.LISTENER])
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["audience", *names])
    lines.writerows([NAMES[audience], *(told[audience][name] for name in names)] for audience in Audience)
    return text.getvalue()
