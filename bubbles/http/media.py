"""GET, HEAD /media/{code}.{kind}: our own renditions, and nothing that was uploaded. Exact HTTP; bytes counted.

Who asks is judged, and the first chunk read, before the status line is sent: a blob that is away is a 503, not a 200
that breaks off. No transaction is open while bytes flow. Where it is set so, others send the bytes: `handover.py`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bubbles import ids, policy
from bubbles.db import audible
from bubbles.errors import Code, Missing
from bubbles.http import auth, caching, handover, lane, ranges, visitors
from bubbles.http.deliveries import Flow
from bubbles.http.errors import problem
from bubbles.http.log import note
from bubbles.listen import Delivery, Visitor
from bubbles.model.bubble import Bubble
from bubbles.model.rendition import MEDIA_TYPES, Rendition

ETAG_HEX = 32


@dataclass(frozen=True)
class Wanted:
    """What was asked for, once it is settled that who asks may hear it."""

    rendition: Rendition
    visitor: Visitor
    headers: dict[str, str]
    is_for_team: bool
    """Nobody else hears it."""

    @property
    def etag(self) -> str:
        """A strong entity tag: the same tag, the same bytes."""
        return etag(self.rendition)


def etag(rendition: Rendition) -> str:
    """The quoted beginning of the SHA-256."""
    return f'"{rendition.sha256[:ETAG_HEX]}"'


async def rendition(request: Request) -> Response:
    """200, 206, 304, 412, 416; 404 for what is not there or not for who asks.

    `Range` is for GET only: HEAD ignores it (RFC 9110, section 14.2) and tells of the whole.
    """
    wanted = await run_in_threadpool(_wanted, request)
    if handover.leads_away(request) and not wanted.is_for_team:
        return await lane.run(request.app, partial(_lead_away, request, wanted))
    length_bytes, given = wanted.rendition.length_bytes, request.headers
    if "if-match" in given and not ranges.lists(_joined(request, "if-match"), wanted.etag, weak=False):
        return _refusal(wanted, Code.CONFLICT, 412, "The sound is not the one that If-Match names.")
    if ranges.lists(_joined(request, "if-none-match"), wanted.etag, weak=True):
        return Response(status_code=304, headers=wanted.headers)
    if request.method == "HEAD":
        return await lane.run(request.app, partial(_head, request, wanted))
    ranged = ranges.is_unchanged(given.get("if-range"), wanted.etag)
    span = ranges.requested(_joined(request, "range"), length_bytes) if ranged else None
    if span is None or span:
        send = _hand_over if handover.takes_over(request, span) else _flow
        return await lane.run(request.app, partial(send, request, wanted, span))
    refusal = _refusal(
        wanted, Code.BAD_REQUEST, 416, f"The sound has {length_bytes} bytes; none of them was asked for."
    )
    refusal.headers["Content-Range"] = f"bytes */{length_bytes}"
    return refusal


def _wanted(request: Request) -> Wanted:
    code, kind = request.path_params["code"], request.path_params["kind"]
    if kind not in MEDIA_TYPES or not ids.CODE_PATTERN.fullmatch(code):
        raise policy.not_found()
    with auth.house(request).database.transaction() as session:
        audible.without_transaction(session)
        who = auth.person(request, session)
        found = audible.find(session, code, kind, account_id=who.account_id if who else None)
    if found is None:
        raise policy.not_found()
    note(request, bubble_id=found.rendition.bubble_id)
    role = policy.role_for(auth.action(request), who, found.role, author_id=found.bubble.author_id)
    policy.require_bubble(auth.action(request), who, role, found.bubble)
    if found.bubble.playable_at is None:
        raise policy.not_found()
    return Wanted(
        found.rendition,
        visitors.visitor(request, found.role),
        _headers(found.bubble, found.rendition),
        is_for_team=not found.bubble.shown_to_strangers,
    )


def _headers(bubble: Bubble, found: Rendition) -> dict[str, str]:
    return {
        "ETag": etag(found),
        "Accept-Ranges": "bytes",
        "Cache-Control": caching.of(bubble),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }


def _type(wanted: Wanted) -> str:
    return MEDIA_TYPES[wanted.rendition.kind]


def _joined(request: Request, name: str) -> str | None:
    """All lines of a header as one list, as RFC 9110 (section 5.3) reads them; None when absent."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


def _refusal(wanted: Wanted, code: Code, status: int, detail: str) -> Response:
    response = problem(code, detail, status=status)
    response.headers.update(wanted.headers | caching.NO_STORE)
    return response


def _head(request: Request, wanted: Wanted) -> Response:
    with _absent_is_missing(wanted.rendition.blob_key):
        auth.house(request).blobs.size(wanted.rendition.blob_key)
    return Response(headers=wanted.headers | _length(wanted.rendition.length_bytes), media_type=_type(wanted))


def _lead_away(request: Request, wanted: Wanted) -> Response:
    return handover.to_bucket(request, wanted.rendition, _asked_for(request, wanted), headers=wanted.headers)


def _asked_for(request: Request, wanted: Wanted) -> Delivery | None:
    """The bytes that the bucket is about to be asked for; None when it may well send none."""
    if request.method == "HEAD" or "if-none-match" in request.headers or "if-match" in request.headers:
        return None
    span = ranges.requested(_joined(request, "range"), wanted.rendition.length_bytes)
    return _delivery(request, wanted, span) if span is None or span else None


def _delivery(request: Request, wanted: Wanted, span: range | None) -> Delivery:
    made, at = wanted.rendition, auth.house(request).now()
    part = range(made.length_bytes) if span is None else span
    return Delivery(made.bubble_id, made.kind, wanted.visitor, part.start, part.stop, at=at)


def _hand_over(request: Request, wanted: Wanted, span: range | None) -> Response:
    return handover.to_nginx(request, wanted.rendition, _delivery(request, wanted, span), headers=wanted.headers)


def _flow(request: Request, wanted: Wanted, span: range | None) -> Response:
    house, made = auth.house(request), wanted.rendition
    part = range(made.length_bytes) if span is None else span
    with _absent_is_missing(made.blob_key):
        chunks = house.blobs.open_range(made.blob_key, part.start, part.stop)
        if not (first := next(chunks, b"")):
            raise KeyError(made.blob_key)  # shorter than its row says
    headers = wanted.headers | _length(len(part))
    if span is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{made.length_bytes}"
    return Flow(
        first,
        chunks,
        delivery=_delivery(request, wanted, span),
        status_code=200 if span is None else 206,
        headers=headers,
        media_type=_type(wanted),
    )


def _length(length_bytes: int) -> dict[str, str]:
    return {"Content-Length": str(length_bytes)}


@contextmanager
def _absent_is_missing(blob_key: str) -> Iterator[None]:
    """A row without its blob is a fault of the store's, and not the listener's."""
    try:
        yield
    except KeyError:
        raise Missing("store", f"The blob {blob_key} is not in the store.") from None
