"""POST /account/export: everything of the person who asks, as one archive that is made while it is sent."""

import json
from collections.abc import AsyncIterator, Iterator
from threading import Lock
from typing import Any

from anyio import CapacityLimiter, to_thread
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from bubbles import export, known_browsers, stats
from bubbles.app import House
from bubbles.db import accounts, authored, channels, passkeys, tokens
from bubbles.db.bubbles import Whole
from bubbles.errors import Code, Refused
from bubbles.export import Entry
from bubbles.http import auth, languages, present
from bubbles.http.caching import NO_STORE
from bubbles.http.share import FORMATS
from bubbles.http.stats import csv_of
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.times import rfc3339
from bubbles.model.transcript import Transcript

AT_ONCE = 4
"""Archives that are worked at in one moment; the others wait in between two pieces."""

BUSY_S = 30
OWN_FACTS = ("code", "channel", "licence", "duration_s", "recorded_at", "created_at", "consent_version")
"""What is told of a bubble to its author who is no longer in the channel's team."""


class Exporting:
    """The accounts whose archive this process is making."""

    def __init__(self) -> None:
        self._lock, self._accounts = Lock(), set[int]()
        self.threads = CapacityLimiter(AT_ONCE)
        """Of their own: a store that hangs holds up no other route."""

    def begin(self, account_id: int) -> bool:
        """Whether the account may have one made now; of two who ask together, one may."""
        with self._lock:
            if account_id in self._accounts:
                return False
            self._accounts.add(account_id)
            return True

    def end(self, account_id: int) -> None:
        """The archive is made, or given up."""
        with self._lock:
            self._accounts.discard(account_id)


async def _from_threads(chunks: Iterator[bytes], threads: CapacityLimiter) -> AsyncIterator[bytes]:
    while (chunk := await to_thread.run_sync(next, chunks, None, limiter=threads)) is not None:
        yield chunk


class Archive(StreamingResponse):
    """The archive of one account; the account may ask for another once this one has ended, however it did."""

    def __init__(self, chunks: Iterator[bytes], *, name: str, account_id: int, busy: Exporting) -> None:
        headers = NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
        super().__init__(_from_threads(chunks, busy.threads), headers=headers, media_type="application/zip")
        self._account_id, self._busy = account_id, busy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._busy.end(self._account_id)


def download(request: Request) -> Archive:
    """One archive at a time for each account: it reads all that the account has."""
    auth.require_same_origin(request)
    house = auth.house(request)
    with house.database.transaction() as session:
        account = auth.require_own(request, session).account
        facts = _facts(session, account, house)
    busy: Exporting = request.app.state.exporting
    if not busy.begin(account.id):
        raise Refused(Code.RATE_LIMITED, "Your archive is being made already.", retry_after_s=BUSY_S)
    chunks = export.archive(_entries(request, account, facts), house.blobs, now=house.now())
    name = f"bubbles-{account.handle}-{house.now():%Y-%m-%d}.zip"
    return Archive(chunks, name=name, account_id=account.id, busy=busy)


def _entries(request: Request, account: Account, facts: dict[str, Any]) -> Iterator[Entry]:
    house = auth.house(request)
    yield Entry("README.txt", _readme(house))
    yield Entry("account.json", _json(facts))

    def described(session: Session, whole: Whole) -> dict[str, str]:
        member = channels.membership(session, whole.channel.id, account.id)  # they may leave while it is being made
        return _described(session, whole, house, for_team=member is not None)

    yield from export.of_account(house.database, account.id, described)


def _readme(house: House) -> str:
    """What lies where, in every language."""
    pages_dir = house.settings.pages_dir
    return "\n".join(languages.read(pages_dir, each)("export.readme") for each in languages.LANGUAGES)


def _described(session: Session, whole: Whole, house: House, *, for_team: bool) -> dict[str, str]:
    """A bubble as its team is told; who is no longer in it gets what is their own, not what the team made of it."""
    told = present.bubble(whole, house.settings.public_url, for_team=True)
    files = {"bubble.json": _json(told if for_team else _own_facts(whole.bubble, told))}
    if whole.transcript is not None and (for_team or _is_own(whole.transcript, whole.bubble)):
        files["transcript.json"] = _json(present.transcript(whole))
        files |= {f"transcript.{kind}": written(whole.transcript.spoken) for kind, (_, written) in FORMATS.items()}
    if for_team and whole.bubble.playable_at:
        files["statistics.csv"] = csv_of(stats.of_bubble(session, whole.bubble.id, now=house.now()))
    return files


def _own_facts(bubble: Bubble, told: dict[str, Any]) -> dict[str, Any]:
    """What the author gave. The licence is the team's once it may have changed it, and told where anybody reads it."""
    is_known = bubble.version == 1 or bubble.shown_to_strangers
    return {name: told[name] for name in OWN_FACTS if name != "licence" or is_known}


def _is_own(words: Transcript, bubble: Bubble) -> bool:
    """Whether nobody but the author has put a hand to the words."""
    return words.corrected_at is None or words.corrected_by == bubble.author_id


def _facts(session: Session, account: Account, house: House) -> dict[str, Any]:
    """What is kept of the account itself; of what lets it in everything but the secrets."""
    kept = accounts.password(session, account.id)
    return {
        "handle": account.handle,
        "created_at": rfc3339(account.created_at),
        "terms_agreed_at": _time(account.terms_agreed_at),
        "password_set_at": _time(kept.set_at) if kept else None,
        "recovery_codes_left": accounts.recovery_codes_left(session, account.id),
        "channels": [
            present.channel(channel, house.settings.public_url) | {"role": role}
            for channel, role in channels.of_account(session, account.id, first=account.handle)
        ],
        "sessions": [
            {"way": each.way, "browser": each.browser, "system": each.system, "began_at": rfc3339(each.created_at)}
            | {"expires_at": rfc3339(each.expires_at), "last_seen_on": str(each.last_seen_on or "") or None}
            for each in accounts.web_sessions(session, account.id, house.now())
        ],
        "known_browsers": [
            {"browser": each.browser, "system": each.system}
            | {"known_since": f"{each.created_at:%Y-%m-%d}", "last_sign_in_on": f"{each.used_at:%Y-%m-%d}"}
            for each in known_browsers.of_account(session, account, now=house.now())
        ],
        "passkeys": [
            {"name": each.name, "created_at": rfc3339(each.created_at), "last_used_at": _time(each.last_used_at)}
            for each in passkeys.of_account(session, account.id)
        ],
        "tokens": [
            {"name": each.name, "scopes": sorted(each.limits) if each.limits is not None else None}
            | {"created_at": rfc3339(each.created_at), "expires_at": _time(each.ends_at)}
            | {"last_used_at": _time(each.last_used_at)}
            for each in tokens.held(session, account.id)
        ],
        "uploads": [
            {"started_at": rfc3339(each.started_at), "outcome": each.outcome}
            for each in authored.uploads(session, account.id)
        ],
    }


def _time(at: Any) -> str | None:
    return rfc3339(at) if at else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
