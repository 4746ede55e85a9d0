"""Normalise: from a recording to renditions that play the same everywhere."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlmodel import Session

from bubbles import scratch
from bubbles.audio import sandbox
from bubbles.audio.peaks import peaks
from bubbles.audio.press import press
from bubbles.audio.renditions import Encoded
from bubbles.blobs.store import BlobStore, Stored
from bubbles.db import bubbles, discards, search, steps
from bubbles.db.engine import Database
from bubbles.model.bubble import Bubble
from bubbles.model.rendition import Rendition
from bubbles.model.step import Step, StepName

PEAKS = 200


def normalise(
    database: Database,
    blobs: BlobStore,
    step: Step,
    *,
    limits: sandbox.Limits,
    deadline_s: float,
    workdir: Path,
    clock: Callable[[], datetime],
) -> None:
    """Makes the renditions and the waveform of a bubble; it is playable, listed and queued for transcription after.

    `deadline_s` is what encoding may take, `workdir` where the temporary folder is made. Raises `Missing("store")`,
    `TimeoutError`, `steps.Overtaken`, or what decoding raises.
    """
    with database.transaction() as session:
        bubble = bubbles.get(session, step.bubble_id)
        if bubble.withdrawn_at or bubble.recording_key is None:
            steps.finish(session, step, clock())
            return
    with scratch.folder(workdir, "normalise") as folder:
        decoded = _decode(blobs, bubble, folder, limits)
        encoded = press(decoded.pcm, folder, deadline_s=deadline_s)
        made = [(each, _stored(bubble.code, step.attempt, each)) for each in encoded]
        with database.transaction() as session:
            steps.require_latest(session, step)
            discards.doom(session, [stored.key for _, stored in made], clock())
        for each, stored in made:
            blobs.put(stored.key, each.path, sha256=stored.sha256, content_type=each.media_type)
    waveform = bytes(peaks(decoded.pcm, PEAKS))
    try:
        with database.transaction() as session:
            _publish(session, step, made, waveform=waveform, duration_s=decoded.duration_s, now=clock())
    except steps.Overtaken:
        with database.transaction() as session:
            _let_go(session, step.bubble_id, [stored.key for _, stored in made], clock())
        raise


def _decode(blobs: BlobStore, bubble: Bubble, folder: Path, limits: sandbox.Limits) -> sandbox.Decoded:
    """The sound of the recording, through the sandbox; the file lies in `folder` and is gone after."""
    path = folder / "recording"
    blobs.fetch(str(bubble.recording_key), path, sha256=bubble.recording_sha256)
    try:
        return sandbox.decode(path, limits)
    finally:
        path.unlink()


def _stored(code: str, attempt: int, encoded: Encoded) -> Stored:
    """What the store will hold; the key is the attempt's own, so that a deletion that comes late takes no other's."""
    with encoded.path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Stored(f"renditions/{code}/{sha256[:32]}-{attempt}.{encoded.kind}", encoded.length_bytes, sha256)


def _publish(
    session: Session,
    step: Step,
    made: list[tuple[Encoded, Stored]],
    *,
    waveform: bytes,
    duration_s: float,
    now: datetime,
) -> None:
    bubble = bubbles.lock(session, step.bubble_id)
    steps.finish(session, step, now)
    blob_keys = [stored.key for _, stored in made]
    if bubble.withdrawn_at:
        discards.add(session, blob_keys, now)
        return
    discards.keep(session, blob_keys)
    for encoded, stored in made:
        session.merge(_rendition(bubble, encoded, stored, now))
    bubble.peaks, bubble.duration_s, bubble.playable_at = waveform, duration_s, now
    session.flush()
    search.index(session, bubble, bubbles.transcript(session, step.bubble_id))
    steps.enqueue(session, step.bubble_id, StepName.TRANSCRIBE, now, turn_at=step.turn_at)


def _let_go(session: Session, bubble_id: int, blob_keys: list[str], now: datetime) -> None:
    """Lets go of what an overtaken attempt has stored, as its doom may be gone: it slept for longer than that waits.

    Never of what a row names, whatever else has gone wrong.
    """
    bubbles.lock(session, bubble_id)
    kept = {made.blob_key for made in bubbles.renditions(session, bubble_id)}
    discards.add(session, [key for key in blob_keys if key not in kept], now)


def _rendition(bubble: Bubble, encoded: Encoded, stored: Stored, now: datetime) -> Rendition:
    return Rendition(
        bubble_id=bubble.id,
        kind=encoded.kind,
        blob_key=stored.key,
        length_bytes=stored.length_bytes,
        sha256=stored.sha256,
        minute_bytes=encoded.minute_bytes,
        created_at=now,
    )
