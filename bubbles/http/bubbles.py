"""The bubble as a resource: lists, one, its edits, its words, its end."""

import re
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles import edit, find, moderation, policy
from bubbles.app import House
from bubbles.db import bubbles, line
from bubbles.errors import Code, Refused
from bubbles.http import auth, present, query, render
from bubbles.http.body import json_object
from bubbles.http.caching import NO_STORE, PUBLIC
from bubbles.model.bubble import Bubble, State
from bubbles.model.channel import Role
from bubbles.model.step import Step
from bubbles.policy import Action, Person

TAG = re.compile(r'"v(\d{1,9})(-[a-z]+)?"')
GEOJSON = "application/geo+json"


def index(request: Request) -> Response:
    """The listed bubbles that a query asks for, a page at a time."""
    house = auth.house(request)
    with house.database.query() as session:
        page = find.find(session, query.parse(request.query_params))
        items = [_item(found, house) for found in page.items]
    return JSONResponse({"items": items, "next": page.next}, headers=PUBLIC)


def geojson(request: Request) -> Response:
    """The same as an RFC 7946 FeatureCollection; those without a place have a null geometry."""
    house = auth.house(request)
    with house.database.query() as session:
        page = find.find(session, query.parse(request.query_params))
        features = [_feature(found, house) for found in page.items]
    body = {"type": "FeatureCollection", "features": features, "next": page.next}
    return JSONResponse(body, headers=PUBLIC, media_type=GEOJSON)


def _item(found: find.Found, house: House) -> present.Json:
    return present.bubble(found.whole, house.settings.public_url) | present.found(found)


def _feature(found: find.Found, house: House) -> present.Json:
    feature = present.feature(found.whole, house.settings.public_url)
    feature["properties"] |= present.found(found)
    return feature


def show(request: Request) -> Response:
    """One bubble, with its place in the queue while it waits."""
    house = auth.house(request)
    with house.database.transaction() as session:
        bubble, person, role = auth.bubble(request, session)
        body = _told(session, house, bubble, person, role)
    if role is None:  # a version would tell strangers how often it was edited
        headers = PUBLIC if bubble.is_public else NO_STORE
        return render.revalidated(request, JSONResponse(body, headers=headers))
    return JSONResponse(body, headers=NO_STORE | {"ETag": etag(bubble)})


async def change(request: Request) -> Response:
    """PATCH: a merge-patch of title, tags, language, visibility, licence, place."""
    patch = await json_object(request)
    return await run_in_threadpool(_change, request, patch)


def _change(request: Request, patch: dict[str, Any]) -> Response:
    house = auth.house(request)
    with house.database.transaction() as session:
        bubble, person, role = auth.bubble(request, session)
        bubble = edit.edit(
            session,
            bubble,
            patch,
            expected_version=_expected_version(request, bubble),
            limits=house.text_limits,
            now=house.now(),
        )
        body = _told(session, house, bubble, person, role)
    return JSONResponse(body, headers=NO_STORE | {"ETag": etag(bubble)})


async def correct(request: Request) -> Response:
    """PUT: the words as the team says they were said."""
    sent = await json_object(request)
    return await run_in_threadpool(_correct, request, sent)


def _correct(request: Request, sent: dict[str, Any]) -> Response:
    house = auth.house(request)
    unknown = set(sent) - {"language", "cues"}
    if unknown or "cues" not in sent or not isinstance(sent.get("language"), str | None):
        raise Refused(Code.BAD_REQUEST, "Send {language, cues}.")
    with house.database.transaction() as session:
        bubble, person, _ = auth.bubble(request, session)
        account_id = person.account_id if person else 0
        language = sent.get("language")
        _require_current(request, session, bubble)
        edit.correct(session, bubble, language=language, cues=sent["cues"], account_id=account_id, now=house.now())
        (whole,) = bubbles.whole(session, [bubble])
    return JSONResponse(present.transcript(whole), headers=NO_STORE | {"ETag": etag(bubble)})


def withdraw(request: Request) -> Response:
    """DELETE: hidden now, purged everywhere right after."""
    house = auth.house(request)
    with house.database.transaction() as session:
        bubble, person, _ = auth.bubble(request, session)
        by = person.handle if person else ""
        _require_current(request, session, bubble)
        moderation.withdraw(session, bubble, by=by, reason="withdrawn by the channel", now=house.now())
    return Response(status_code=204)


def etag(bubble: Bubble) -> str:
    """Names the version that `If-Match` compares, and what else a reader sees change."""
    return f'"v{bubble.version}-{bubble.state}"'


def _require_current(request: Request, session: Session, bubble: Bubble) -> None:
    """Raises `conflict` for a stale `If-Match`; the bubble stays as it is until the transaction ends."""
    expected = _expected_version(request, bubble)
    if expected is not None and bubbles.lock(session, bubble.id).version != expected:
        raise Refused(Code.CONFLICT, "The bubble was changed meanwhile; read it again.")


def _expected_version(request: Request, bubble: Bubble) -> int | None:
    """The version that `If-Match` (RFC 9110, section 13.1.1) lets pass: the bubble's if listed, else none there is."""
    listed = ",".join(request.headers.getlist("if-match") or ["*"])
    if listed.strip() == "*":
        return None
    versions = {int(match[1]) for tag in listed.split(",") if (match := TAG.fullmatch(tag.strip()))}
    return bubble.version if bubble.version in versions else -1


def _told(session: Session, house: House, bubble: Bubble, person: Person | None, role: Role | None) -> present.Json:
    (whole,) = bubbles.whole(session, [bubble])
    stands = policy.standing(person, role, author_id=bubble.author_id)
    told = present.bubble(whole, house.settings.public_url, for_team=policy.may(Action.SEE_TEAM, stands))
    return told | {"queue": queue(session, bubble, whole.steps)}


def queue(session: Session, bubble: Bubble, by_name: Mapping[str, Step]) -> present.Json | None:
    """`{step, position, eta_s, waiting_for}` while a step waits or runs, else None; see `line.Place`."""
    if bubble.state not in {State.PROCESSING, State.PLAYABLE}:
        return None
    step = next((step for step in by_name.values() if present.is_open(step)), None)
    if step is None:
        return None
    place = line.place(session, step)
    told = {"step": step.name, "position": place.position, "eta_s": place.eta_s}
    return told | {"waiting_for": step.waiting_for}
