"""Cursors: where to go on with a query, in a client's hands meanwhile.

A cursor is signed with a key of the house, together with its query, so that only what we made is read at all. What is
read is held to what an honest query can lead to all the same: a key may leak.
"""

import base64
import hmac
import json
from dataclasses import astuple, dataclass, fields
from typing import Any

from sqlmodel import Session

from bubbles import ids
from bubbles.db import house_keys, terms
from bubbles.db.search import Mark
from bubbles.db.terms import Near
from bubbles.errors import Code, Refused
from bubbles.model.query import Query, Sort

LENGTH_MAX = 7_000
"""Characters of a cursor that carries as many near words as there can be; most have a hundred."""
SIGNATURE_BYTES = 18
SIGNATURE_LETTERS = SIGNATURE_BYTES * 4 // 3
KEY_MAX = 60_000_000_000_000_000
"""In microseconds, from year 68 to 3871; no other key comes near."""

ANOTHER = "The cursor is of another query, or too old: begin again without one."


@dataclass(frozen=True)
class Cursor:
    """Where to go on. `near`: the words were not found, and these took their place, on every page the same."""

    mark: Mark
    near: Near | None


def write(session: Session, query: Query, cursor: Cursor) -> str:
    """Opaque, URL-safe, and of no use with another query. Nothing in it is secret."""
    body = encoded([*astuple(cursor.mark), cursor.near])
    return signature(session, query, body) + body


def read(session: Session, text: str, query: Query) -> Cursor:
    """The cursor that we wrote for this query; raises `bad_request` for any other text."""
    if not text.isascii() or len(text) > LENGTH_MAX:
        raise Refused(Code.BAD_REQUEST, ANOTHER)
    given, body = text[:SIGNATURE_LETTERS], text[SIGNATURE_LETTERS:]
    if not hmac.compare_digest(given, signature(session, query, body)):
        raise Refused(Code.BAD_REQUEST, ANOTHER)
    try:
        return _cursor(session, json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))), query)
    except (ValueError, TypeError, RecursionError):
        raise Refused(Code.BAD_REQUEST, "The cursor is damaged: begin again without one.") from None


def signature(session: Session, query: Query, body: str) -> str:
    """Binds a cursor's body to the conditions and the order of its query."""
    asked = [getattr(query, field.name) for field in fields(query) if field.compare]
    signed = f"{asked!r} {query.sort} {body!r}".encode()
    made = hmac.digest(house_keys.of(session, house_keys.CURSORS), signed, "sha256")[:SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(made).decode()


def encoded(content: Any) -> str:
    """JSON in letters that may stand in an address."""
    told = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(told).decode().rstrip("=")


def _cursor(session: Session, content: Any, query: Query) -> Cursor:
    """A cursor from any JSON; raises what Python raises for what cannot be one."""
    key, published, code, oldest, near = content
    if not (_is_key(key) and _is_key(published) and isinstance(code, str) and ids.CODE_PATTERN.fullmatch(code)):
        raise ValueError("not a mark")
    if not (_is_key(oldest) if query.sort is Sort.RELEVANCE else oldest is None):
        raise ValueError("not a bound")
    if near is not None and not terms.are_near(session, query.q, near):
        raise ValueError("not words")
    return Cursor(Mark(key, published, code, oldest), near)


def _is_key(value: Any) -> bool:
    return type(value) is int and abs(value) <= KEY_MAX
