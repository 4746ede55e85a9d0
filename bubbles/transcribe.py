"""Transcribe: from sound to words that can be searched, and doubted."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import structlog
from sqlmodel import Session

from bubbles import scratch
from bubbles.audio import sandbox
from bubbles.audio.resample import resample_16k
from bubbles.blobs.store import BlobStore, Spoiled, Stored
from bubbles.db import bubbles, discards, search, steps
from bubbles.db.engine import Database
from bubbles.model.bubble import Bubble
from bubbles.model.step import Step
from bubbles.model.transcript import Transcript
from bubbles.speech.transcriber import Heard, Transcriber

FRAME_SLACK_S = 0.05
"""What a rendition may be longer than its recording: an AAC frame is 21 ms."""

log = structlog.get_logger()


def transcribe(
    database: Database,
    blobs: BlobStore,
    transcriber: Transcriber,
    step: Step,
    *,
    limits: sandbox.Limits,
    workdir: Path,
    clock: Callable[[], datetime],
) -> None:
    """Writes down what a bubble says; it is ready after, and its recording dropped unless it is to be kept.

    Hears the recording, or a rendition once the recording is gone or spoiled. What the team corrected stays as it is.
    Raises `Missing("model" | "memory" | "store")`, `TimeoutError`, `steps.Overtaken`.
    """
    with database.transaction() as session:
        bubble = bubbles.get(session, step.bubble_id)
        said = bubbles.transcript(session, step.bubble_id)
        sources = _sources(session, bubble)
        if bubble.withdrawn_at or not sources or (said and said.corrected_at):
            _end(session, bubbles.lock(session, step.bubble_id), step, clock())
            return
    with scratch.folder(workdir, "transcribe") as folder:
        path = folder / "recording"
        _fetch(blobs, sources, path)
        decoded = sandbox.decode(path, once_accepted(limits))
    heard = transcriber.transcribe(resample_16k(decoded.pcm), language=bubble.language)
    with database.transaction() as session:
        _write(session, step, heard, clock())


def once_accepted(limits: sandbox.Limits) -> sandbox.Limits:
    """Limits for sound that was within `limits` before it became a rendition."""
    return replace(limits, tolerance_s=limits.tolerance_s + FRAME_SLACK_S)


def _sources(session: Session, bubble: Bubble) -> list[Stored]:
    """The blobs that can be heard, the best first: the recording, then the renditions."""
    made = bubbles.renditions(session, bubble.id)
    sources = [Stored(each.blob_key, each.length_bytes, each.sha256) for each in made]
    if bubble.recording_key:
        sources.insert(0, Stored(bubble.recording_key, bubble.recording_bytes, bubble.recording_sha256))
    return sources


def _fetch(blobs: BlobStore, sources: list[Stored], path: Path) -> None:
    """Writes the first blob that is whole into the file `path`; raises what is wrong with the last when none is."""
    *better, last = sources
    for source in better:
        try:
            blobs.fetch(source.key, path, sha256=source.sha256)
        except (KeyError, Spoiled) as error:
            log.warning("source_lost", exc_info=error)
        else:
            return
    blobs.fetch(last.key, path, sha256=last.sha256)


def _write(session: Session, step: Step, heard: Heard, now: datetime) -> None:
    bubble = bubbles.lock(session, step.bubble_id)
    said = bubbles.transcript(session, step.bubble_id)
    if not bubble.withdrawn_at and not (said and said.corrected_at):
        said = session.merge(_transcript(bubble, heard, now))
        session.flush()
        search.index(session, bubble, said)
    _end(session, bubble, step, now)


def _end(session: Session, bubble: Bubble, step: Step, now: datetime) -> None:
    steps.finish(session, step, now)
    if bubble.playable_at:
        bubble.ready_at = now
    drop_recording(session, bubble, now)


def drop_recording(session: Session, bubble: Bubble, now: datetime) -> None:
    """Lets go of the sound as it was received, unless the author asked to keep it."""
    if bubble.recording_key and not bubble.keep_recording:
        discards.add(session, [bubble.recording_key], now)
        bubble.recording_key = None


def _transcript(bubble: Bubble, heard: Heard, now: datetime) -> Transcript:
    return Transcript(
        bubble_id=bubble.id,
        language=heard.language,
        language_probability=heard.language_probability,
        language_doubtful=heard.language_doubtful,
        model=heard.model,
        cues=[asdict(cue) for cue in heard.cues],
        created_at=now,
    )
