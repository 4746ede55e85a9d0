"""One bubble in the studio: what is kept of it, its words, and its end. Each form works without a script.

The forms that edit carry the version that they were made from: who comes second is told, and what they typed is shown
again.
"""

from collections.abc import Callable
from typing import Any

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bubbles import edit, moderation, retry
from bubbles.db import bubbles
from bubbles.errors import Code, Refused
from bubbles.http import auth, basemap, languages, onward, present, render
from bubbles.http.body import JSON_MAX_BYTES, form_fields
from bubbles.http.bubbles import queue
from bubbles.http.caching import NEVER_STORED
from bubbles.http.studio_forms import cues_of, patch_of, typed, typed_cues, values_of, version_of
from bubbles.model.bubble import Bubble, Visibility
from bubbles.model.licence import Licence
from bubbles.model.place import PlaceRole, Precision

CUE_FIELDS_MAX = 4 * edit.CUES_MAX + 100
DONE = {"saved", "words", "again"}
CHOICES = {
    "visibility": list(Visibility),
    "licence": list(Licence),
    "precision": list(Precision),
    "role": list(PlaceRole),
}
Fields = dict[str, str]


def page(request: Request) -> Response:
    """GET: the bubble with its forms; on to signing in for a stranger."""
    return _show(request)


async def change(request: Request) -> Response:
    """POST: title, tags, language, visibility, licence and place."""
    return await _post(request, _change)


async def correct(request: Request) -> Response:
    """POST: the words, a line for each cue."""
    return await _post(request, _correct)


async def withdraw(request: Request) -> Response:
    """POST: takes the bubble back for good, once that is confirmed."""
    return await _post(request, _withdraw)


async def again(request: Request) -> Response:
    """POST: begins again what was given up, or is put off."""
    return await _post(request, _retry)


async def _post(request: Request, handler: Callable[[Request, Fields], Response]) -> Response:
    auth.require_same_origin(request)
    fields = await form_fields(request, max_bytes=JSON_MAX_BYTES, fields_max=CUE_FIELDS_MAX)
    return await run_in_threadpool(handler, request, fields)


def _change(request: Request, fields: Fields) -> Response:
    house = auth.house(request)
    try:
        with house.database.transaction() as session:
            bubble, _, _ = auth.bubble(request, session)
            edit.edit(
                session,
                bubble,
                patch_of(fields, bubble),
                expected_version=version_of(fields),
                limits=house.text_limits,
                now=house.now(),
            )
    except Refused as refused:
        return _again(request, refused, "about", values=typed(fields))
    return _back(request, "saved")


def _correct(request: Request, fields: Fields) -> Response:
    house, lines = auth.house(request), typed_cues(fields)
    language = fields.get("language", "").strip()
    try:
        with house.database.transaction() as session:
            bubble, person, _ = auth.bubble(request, session)
            _require_version(session, bubble, version_of(fields))
            account_id = person.account_id if person else 0
            edit.correct(
                session, bubble, language=language, cues=cues_of(lines), account_id=account_id, now=house.now()
            )
    except Refused as refused:
        return _again(request, refused, "words", lines=lines, language=language)
    return _back(request, "words")


def _withdraw(request: Request, fields: Fields) -> Response:
    house = auth.house(request)
    with house.database.transaction() as session:
        bubble, person, _ = auth.bubble(request, session)
        if fields.get("sure") == "yes":
            by, reason = person.handle if person else "", fields.get("reason", "")
            moderation.withdraw(session, bubble, by=by, reason=reason, now=house.now())
    if fields.get("sure") != "yes":
        return _show(request, unconfirmed=True, status=422)
    return onward.to("/studio?shelf=withdrawn")


def _retry(request: Request, fields: Fields) -> Response:
    house = auth.house(request)
    with house.database.transaction() as session:
        bubble, _, _ = auth.bubble(request, session)
        retry.retry(session, bubble, now=house.now())
    return _back(request, "again")


def _require_version(session: Session, bubble: Bubble, version: int) -> None:
    if bubbles.lock(session, bubble.id).version != version:
        raise Refused(Code.CONFLICT, "The bubble was changed meanwhile; read it again.")


def _back(request: Request, done: str) -> Response:
    anchor = "#words" if done == "words" else ""
    return onward.to(f"/studio/bubbles/{request.path_params['code']}?done={done}{anchor}")


def _again(request: Request, refused: Refused, section: str, **sent: Any) -> Response:
    """The page with what was typed, and why it was not taken; what hides the bubble is left to be told by itself."""
    if refused.code in {Code.UNAUTHORISED, Code.FORBIDDEN, Code.NOT_FOUND}:
        raise refused
    return _show(request, status=refused.status, section=section, code=refused.code, **sent)


def _show(request: Request, *, status: int = 200, **sent: Any) -> Response:
    house = auth.house(request)
    with house.database.transaction() as session:
        if auth.person(request, session) is None and request.method == "GET":
            return onward.to_sign_in(onward.here(request))
        bubble, _, _ = auth.bubble(request, session)
        (whole,) = bubbles.whole(session, [bubble])
        waits = queue(session, whole.bubble, whole.steps)
        stuck = retry.stuck(whole.bubble, whole.steps)
    told = present.bubble(whole, house.settings.public_url, for_team=True)
    kept = values_of(bubble)
    context: dict[str, Any] = {
        "told": told,
        "queue": waits,
        "stuck": stuck is not None,
        "kept": kept,
        "values": kept,
        "lines": _lines(told),
        "code": "",
    }
    context |= {"section": "", "unconfirmed": False, "language": _spoken(told), "limits": house.text_limits}
    context |= {"choices": CHOICES, "done": _done(request), "back": request.url.path} | sent
    context["differ"] = _differences(context) if context["code"] == Code.CONFLICT else []
    cache = NEVER_STORED
    settings = auth.house(request).settings
    context["map_styles"] = basemap.styles(settings, language=languages.of(request))
    headers = basemap.headers(settings)
    return render.page(
        request, "studio_bubble.html", status=status, cache=cache, headers=headers, robots="noindex", **context
    )


def _done(request: Request) -> str:
    done = request.query_params.get("done", "")
    return done if done in DONE and request.method == "GET" else ""


def _spoken(told: present.Json) -> str:
    return str(told["transcript"]["language"] or told["language"] or "")


def _lines(told: present.Json) -> list[dict[str, Any]]:
    """The cues as the form shows them."""
    return [
        {"start": _typable(cue["start_s"]), "end": _typable(cue["end_s"])}
        | {"text": cue["text"], "unsure": cue.get("unsure", False)}
        for cue in told["transcript"]["cues"]
    ]


def _typable(time_s: float) -> str:
    """To the millisecond, so that what is not touched stays as it is."""
    return f"{time_s:.3f}".rstrip("0").rstrip(".")


def _differences(context: dict[str, Any]) -> list[str]:
    """The fields in which what is kept is not what was typed."""
    return [name for name in context["kept"] if context["values"][name].strip() != context["kept"][name]]
