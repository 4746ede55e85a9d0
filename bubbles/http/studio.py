"""GET /studio: what a person and their teams have made, by what is to be done about it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from sqlmodel import Session
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from bubbles import ids, policy, stats
from bubbles.app import House
from bubbles.db import bubbles, channels, studio
from bubbles.db.listening import Audience
from bubbles.db.studio import Shelf
from bubbles.http import auth, onward, present, render
from bubbles.http.bubbles import queue
from bubbles.http.caching import NEVER_STORED
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel, Role
from bubbles.policy import Action, Person

PER_PAGE = 20
Teams = list[tuple[Channel, str]]


def page(request: Request) -> Response:
    """The shelf that is asked for, newest first; on to signing in for a stranger."""
    with auth.house(request).database.transaction() as session:
        who = auth.person(request, session)
        if who is None:
            return onward.to_sign_in(onward.here(request))
        context = _context(request, session, who)
    return render.page(request, "studio.html", cache=NEVER_STORED, robots="noindex", **context)


def _context(request: Request, session: Session, who: Person) -> dict[str, Any]:
    teams = channels.of_account(session, who.account_id, first=who.handle)
    params = request.query_params
    shelf = Shelf(params["shelf"]) if params.get("shelf") in set(Shelf) else Shelf.ALL
    chosen = next((channel for channel, _ in teams if channel.handle == params.get("channel")), None)
    wanted = [chosen.id] if chosen else [channel.id for channel, _ in teams]
    rows = studio.page(session, wanted, shelf, limit=PER_PAGE + 1, after=_code(params))
    counts = studio.counts(session, wanted)
    return {
        "shelf": shelf,
        "shelves": [
            (each, counts[each], _address(params, shelf=each)) for each in Shelf if _shown(each, shelf, counts)
        ],
        "teams": [(channel.title, channel == chosen, _address(params, channel=channel.handle)) for channel, _ in teams],
        "all_channels": _address(params, channel="") if chosen else None,
        "is_new": not any(counts.values()),
        "rows": _rows(session, rows[:PER_PAGE], teams, who, auth.house(request)),
        "as_of": stats.as_of(auth.house(request).now()),
        "more": _address(params, after=rows[PER_PAGE - 1].code) if len(rows) > PER_PAGE else None,
    }


def _code(params: QueryParams) -> str | None:
    """Where the page before ended."""
    code = params.get("after", "")
    return code if ids.CODE_PATTERN.fullmatch(code) else None


def _shown(shelf: Shelf, current: Shelf, counts: dict[Shelf, int]) -> bool:
    """Shelves on which nothing lies are left out, but for the first and the one looked at."""
    return shelf in {Shelf.ALL, current} or counts[shelf] > 0


def _address(params: QueryParams, **other: str) -> str:
    """The studio with another shelf, channel or page; a page holds only on its own shelf."""
    kept = {name: params[name] for name in ("shelf", "channel") if name in params} | other
    asked = urlencode({name: value for name, value in kept.items() if value and value != Shelf.ALL})
    return f"/studio?{asked}" if asked else "/studio"


def _rows(session: Session, rows: Sequence[Bubble], teams: Teams, who: Person, house: House) -> list[dict[str, Any]]:
    roles = {channel.id: Role(role) for channel, role in teams}
    is_told, shown = policy.opens(Action.SEE_STATS, who), [row.id for row in rows if row.playable_at]
    heard = stats.of_bubbles(session, shown, now=house.now()) if is_told else {}
    return [
        {
            "told": present.bubble(whole, house.settings.public_url, for_team=True),
            "queue": queue(session, whole.bubble, whole.steps),
            "listens": heard[whole.bubble.id][Audience.LISTENER]["listens"] if whole.bubble.id in heard else None,
            "may_edit": _may_edit(who, roles[whole.bubble.channel_id], whole.bubble),
        }
        for whole in bubbles.whole(session, list(rows))
    ]


def _may_edit(who: Person, role: Role, bubble: Bubble) -> bool:
    stands = policy.standing(who, role, author_id=bubble.author_id)
    return policy.may(Action.EDIT, stands) and bubble.withdrawn_at is None
