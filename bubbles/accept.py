"""Accept: from bytes that someone sent to a bubble that is never lost.

The order is the promise: every refusal is settled first, then the recording is durable, then one transaction holds
bubble, job and idempotency key. Only then is anything acknowledged.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session

from bubbles import ids, policy
from bubbles.audio import level, sandbox
from bubbles.blobs.store import BlobStore
from bubbles.db import accounts, bubbles, channels, discards, steps, uploads
from bubbles.db.engine import Database
from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel, Role
from bubbles.model.draft import Draft
from bubbles.model.licence import Licence
from bubbles.model.step import StepName, Urgency, turn_of
from bubbles.model.upload import Upload
from bubbles.policy import Action, Person

HOUR = timedelta(hours=1)
ACCEPTED = "accepted"
KEY_LENGTH_MAX = 200
BEAT_S = 5
"""An upload under way gives a sign of life so often."""

SILENT_FOR = timedelta(seconds=20)
"""An upload that was silent for so long died with its process: its key and its place among the few are free."""
LATER_FIELDS = {"licence", "consent_version"}
"""Fields that left no mark in a fingerprint while there were none of them."""


@dataclass(frozen=True)
class Received:
    """A recording that has arrived whole in a file of ours."""

    path: Path
    length_bytes: int
    sha256: str


@dataclass(frozen=True)
class UploadLimits:
    """How often an account may upload, from the settings."""

    per_hour: int = 60
    at_once: int = 4


@dataclass(frozen=True)
class Usual:
    """What holds where an author says nothing: the licence, and the version of the terms in force."""

    licence: Licence = Licence.ALL_RIGHTS_RESERVED
    consent_version: str = "none"


@dataclass(frozen=True)
class Ticket:
    """The right to upload once. `key_holder` is the accepted upload that already bears the idempotency key."""

    upload_id: int
    key_holder: Upload | None


def open_upload(
    session: Session, person: Person, *, idempotency_key: str | None, limits: UploadLimits, now: datetime
) -> Ticket:
    """Counts a try before its body is read; raises `rate_limited`, or `conflict` while the key's first use runs."""
    uploads.lock_account(session, person.account_id)
    _require_room(session, person, limits=limits, now=now)
    holder = _key_holder(session, person, idempotency_key, now)
    key = None if holder else idempotency_key
    upload = Upload(account_id=person.account_id, idempotency_key=key, started_at=now)
    session.add(upload)
    session.flush()
    return Ticket(upload.id, holder)


def _require_room(session: Session, person: Person, *, limits: UploadLimits, now: datetime) -> None:
    if uploads.tried_since(session, person.account_id, now - HOUR) >= limits.per_hour:
        sentence = f"An account may try {limits.per_hour} uploads an hour."
        raise Refused(Code.RATE_LIMITED, sentence, retry_after_s=_free_again_s(session, person, limits, now))
    if uploads.under_way(session, person.account_id, now - SILENT_FOR) >= limits.at_once:
        sentence = f"An account may have {limits.at_once} uploads under way at once."
        raise Refused(Code.RATE_LIMITED, sentence, retry_after_s=5)


def _free_again_s(session: Session, person: Person, limits: UploadLimits, now: datetime) -> int:
    oldest = uploads.nth_latest(session, person.account_id, limits.per_hour)
    return max(1, int((oldest + HOUR - now).total_seconds()) + 1) if oldest else 60


def _key_holder(session: Session, person: Person, key: str | None, now: datetime) -> Upload | None:
    """The accepted upload of a key; frees the key of one that died with its process."""
    if key is None:
        return None
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isprintable():
        raise Refused(Code.BAD_REQUEST, f"An Idempotency-Key has 1 to {KEY_LENGTH_MAX} printable characters.")
    holder = uploads.of_key(session, person.account_id, key)
    if holder is None or holder.bubble_id is not None:
        return holder
    free_at = (holder.seen_at or holder.started_at) + SILENT_FOR
    if free_at > now:
        # One that lives still then has ended or gives another sign: whoever comes again is told so again.
        wait_s = math.ceil((free_at - now).total_seconds())
        sentence = "The first upload with this Idempotency-Key is still under way."
        raise Refused(Code.CONFLICT, sentence, retry_after_s=wait_s)
    holder.ended_at, holder.outcome = holder.started_at, "abandoned"
    session.flush()
    return None


def keep_alive(session: Session, ticket: Ticket, *, now: datetime) -> None:
    """A sign of life of an upload under way."""
    session.get_one(Upload, ticket.upload_id).seen_at = now


def close_upload(session: Session, ticket: Ticket, *, outcome: str, now: datetime) -> None:
    """Ends a try that made no bubble; its key is free again."""
    upload = session.get_one(Upload, ticket.upload_id)
    upload.ended_at, upload.outcome = now, outcome


def fingerprint(draft: Draft, received: Received) -> str:
    """What tells two uploads apart: SHA-256 over the fields and the sound."""
    sent = {name: value for name, value in asdict(draft).items() if value is not None or name not in LATER_FIELDS}
    fields = json.dumps(sent, sort_keys=True, default=str)
    return hashlib.sha256(f"{fields}\n{received.sha256}".encode()).hexdigest()


def accept(
    database: Database,
    blobs: BlobStore,
    *,
    person: Person,
    ticket: Ticket,
    draft: Draft,
    received: Received,
    limits: sandbox.Limits,
    silence_dbfs: float,
    now: datetime,
    usual: Usual = Usual(),
    urgency: Urgency = Urgency.NOW,
) -> Bubble:
    """The bubble of an upload: made, or the one that the same key made before. `urgency` is its place in the queue.

    Raises `not_audio`, `too_long`, `too_short`, `silent`, `forbidden`, `not_found`, `idempotency_mismatch`, or
    `Missing("store")`; then nothing is kept.
    """
    mark = fingerprint(draft, received)
    with database.transaction() as session:
        if ticket.key_holder is not None:
            return _again(session, ticket, mark, now)
        channel = _channel(session, person, draft)
    heard = sandbox.decode(received.path, limits)
    level.require_sound(level.measure(heard.pcm, sandbox.PCM_RATE_HZ), silence_dbfs)
    bubble = _bubble(person, channel, draft, received, duration_s=heard.duration_s, now=now)
    bubble.licence = draft.licence or usual.licence
    bubble.consent_version = draft.consent_version or usual.consent_version
    key = str(bubble.recording_key)
    with database.transaction() as session:
        discards.doom(session, [key], now)
    blobs.put(key, received.path, sha256=received.sha256, content_type="application/octet-stream")
    with database.transaction() as session:
        accounts.keep_open(session, person.account_id)
        _channel(session, person, draft)  # who left meanwhile publishes nothing
        discards.keep(session, [key])
        turn_at = turn_of(now, bubble.duration_s, urgency, others=steps.waiting_of(session, person.account_id))
        _record(session, bubble, ticket, mark, now)
        steps.enqueue(session, bubble.id, StepName.NORMALISE, now, turn_at=turn_at)
    return bubble


def _again(session: Session, ticket: Ticket, mark: str, now: datetime) -> Bubble:
    holder = ticket.key_holder
    bubble = bubbles.get(session, holder.bubble_id) if holder and holder.bubble_id else None
    # Of what was withdrawn nothing is left to compare with; nothing is published either.
    if holder is None or bubble is None or (holder.fingerprint != mark and not bubble.withdrawn_at):
        raise Refused(Code.IDEMPOTENCY_MISMATCH, "This Idempotency-Key was used for another recording or other fields.")
    close_upload(session, ticket, outcome="repeated", now=now)
    return bubble


def _channel(session: Session, person: Person, draft: Draft) -> Channel:
    """The channel to publish in; raises `not_found`, or `forbidden` when the person is not in its team."""
    channel = channels.by_handle(session, draft.channel or person.handle)
    if channel is None:
        raise Refused(Code.NOT_FOUND, "There is no such channel.")
    member = channels.membership(session, channel.id, person.account_id)
    role = Role(member.role) if member else None
    policy.require(Action.PUBLISH, person, policy.standing(person, role))
    return channel


def _bubble(
    person: Person, channel: Channel, draft: Draft, received: Received, *, duration_s: float, now: datetime
) -> Bubble:
    code = ids.new_code()
    bubble = Bubble(
        code=code,
        channel_id=channel.id,
        author_id=person.account_id,
        title=draft.title,
        tags=list(draft.tags),
        language=draft.language,
        visibility=draft.visibility,
        duration_s=duration_s,
        recording_key=f"recordings/{code}/{received.sha256}",
        recording_sha256=received.sha256,
        recording_bytes=received.length_bytes,
        keep_recording=draft.keep_recording,
        recorded_at=draft.recorded_at or now,
        created_at=now,
    )
    bubble.place = draft.place
    return bubble


def _record(session: Session, bubble: Bubble, ticket: Ticket, mark: str, now: datetime) -> None:
    session.add(bubble)
    session.flush()
    upload = session.get_one(Upload, ticket.upload_id)
    upload.bubble_id, upload.fingerprint, upload.outcome, upload.ended_at = bubble.id, mark, ACCEPTED, now
