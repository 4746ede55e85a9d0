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

NAMES = {
    Audience.LISTENER: "listeners",
    Audience.TEAM: "team",
    Audience.BOT: "bots",
    Audience.CROWD: "crowd",
}
APART = (Audience.TEAM, Audience.BOT, Audience.CROWD)


def of_bubble(request: Request) -> Response:
    """How a bubble was heard."""
    with auth.house(request).database.transaction() as session:
        bubble, _, _ = auth.bubble(request, session)
        told = stats.of_bubble(session, bubble.id, now=auth.house(request).now())
    return _answer(request, told, of={"code": bubble.code})


def of_channel(request: Request) -> Response:
    """How all bubbles of a channel were heard, together."""
    with auth.house(request).database.transaction() as session:
        channel, _, _ = auth.channel(request, session, request.path_params["handle"])
        told = stats.of_channel(session, channel.id, now=auth.house(request).now())
    return _answer(request, told, of={"channel": channel.handle})


def _answer(request: Request, told: Stats, *, of: dict[str, object]) -> Response:
    wanted = request.query_params.get("format", "json")
    if wanted == "csv":
        return Response(csv_of(told), headers=NO_STORE, media_type="text/csv")
    if wanted != "json":
        raise Refused(Code.BAD_REQUEST, "The format must be json or csv.")
    house = auth.house(request)
    said = of | {"method": stats.method(house.settings), "as_of": rfc3339(stats.as_of(house.now()))}
    return JSONResponse(_json(told) | said, headers=NO_STORE)


def _json(told: Stats) -> dict[str, object]:
    """Listeners' figures on top; the others' beside them, never added."""
    return {**told[Audience.LISTENER], **{NAMES[audience]: told[audience] for audience in APART}}


def csv_of(told: Stats) -> str:
    """One line an audience, the same cells as in JSON; empty where a figure is not counted."""
    names = list(told[Audience.LISTENER])
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(["audience", *names])
    lines.writerows([NAMES[audience], *(told[audience].get(name, "") for name in names)] for audience in Audience)
    return text.getvalue()
