"""What must hold of a house whatever was done to it; each promise that is broken gives a sentence."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session, col, select

from bubbles.app import House
from bubbles.db.search import SearchDocument
from bubbles.model import erasure
from bubbles.model.bubble import Bubble, State
from bubbles.model.chore import Chore
from bubbles.model.departure import Departure
from bubbles.model.discard import Discard
from bubbles.model.rendition import MEDIA_TYPES, Rendition
from bubbles.model.step import Step
from bubbles.model.transcript import Transcript
from bubbles.model.upload import Upload
from tests.faults.lives import Life

OVER = {State.READY, State.REFUSED, State.FAILED, State.WITHDRAWN, State.HELD}
KEPT_APART = (erasure.PREFIX,)
"""Beginnings of keys that no row names: what was withdrawn is remembered in the store itself."""


def broken(life: Life, *, a_day_later: bool) -> list[str]:
    """Every promise that does not hold: minutes after a crash, or also what holds once a day of upkeep has passed."""
    promises = [*AT_ONCE, *(A_DAY_LATER if a_day_later else ())]
    with life.house.database.transaction() as session:
        return [f"{promise.__name__}: {what}" for promise in promises for what in promise(life, session)]


def acknowledged_once(life: Life, session: Session) -> Iterator[str]:
    """What was acknowledged is there, under the code that was told, and once."""
    codes = {bubble.code: bubble for bubble in session.exec(select(Bubble))}
    told: dict[str, set[str]] = {}
    for line in life.remembered("accepted"):
        told.setdefault(line["title"], set()).add(line["code"])
    for title, answered in told.items():
        if len(answered) != 1 or not answered <= codes.keys():
            yield f"{title} was acknowledged as {sorted(answered)}; there are {sorted(codes)}"
    titles = Counter(bubble.title for bubble in codes.values() if bubble.title)
    yield from (f"{title} was published {count} times" for title, count in titles.items() if count > 1)
    made = Counter(upload.bubble_id for upload in session.exec(select(Upload)) if upload.outcome == "accepted")
    for bubble in codes.values():
        if made[bubble.id] != 1:
            yield f"{bubble.code} stems from {made[bubble.id]} accepted uploads"


def changes_kept(life: Life, session: Session) -> Iterator[str]:
    """What was acknowledged as changed is as it was asked for, unless the bubble went."""
    by_code = {bubble.code: bubble for bubble in session.exec(select(Bubble)) if not bubble.withdrawn_at}
    for line in life.remembered("edited"):
        bubble = by_code.get(line["code"])
        for name, value in line["json"].items():
            if bubble and getattr(bubble, name) != value:
                yield f"{name} of {bubble.code} is {getattr(bubble, name)!r}, not {value!r}"
    for line in life.remembered("corrected"):
        bubble = by_code.get(line["code"])
        said = session.get(Transcript, bubble.id) if bubble else None
        if bubble and (said is None or said.cues != line["json"]["cues"]):
            yield f"the words of {bubble.code} are {said and said.cues}"


def journeys_ended(life: Life, session: Session) -> Iterator[str]:
    """Every bubble is through, or waits and says for what; nothing that is through lacks what it needs."""
    for bubble in session.exec(select(Bubble)):
        steps = list(session.exec(select(Step).where(Step.bubble_id == bubble.id)))
        waits = any(step.waiting_for or step.gave_up_at for step in steps)
        if bubble.state not in OVER and not waits:
            yield f"{bubble.code} is {bubble.state}: {[(step.name, step.tries, step.error) for step in steps]}"
        if bubble.state is State.READY and session.get(Transcript, bubble.id) is None and not waits:
            yield f"{bubble.code} is ready and has no transcript"
        if bubble.state is State.READY and bubble.recording_key and not bubble.keep_recording:
            yield f"{bubble.code} is ready and its recording is kept"
        if bubble.listed and session.get(SearchDocument, bubble.id) is None:
            yield f"{bubble.code} is listed and cannot be found"


def sound_is_whole(life: Life, session: Session) -> Iterator[str]:
    """Every blob that a row names is there, with the bytes that the row tells; a playable bubble has all renditions."""
    for bubble in session.exec(select(Bubble)):
        if bubble.recording_key and _digest(life.house, bubble.recording_key) != bubble.recording_sha256:
            yield f"the recording of {bubble.code} is lost or changed"
        made = list(session.exec(select(Rendition).where(Rendition.bubble_id == bubble.id)))
        for rendition in made:
            if _digest(life.house, rendition.blob_key) != rendition.sha256:
                yield f"{rendition.blob_key} of {bubble.code} is lost or changed"
        if bubble.playable_at and not bubble.withdrawn_at and {each.kind for each in made} != MEDIA_TYPES.keys():
            yield f"{bubble.code} is playable and has {len(made)} renditions"


def withdrawn_is_gone(life: Life, session: Session) -> Iterator[str]:
    """What was withdrawn is hidden for good: no blob, no word, no index row is left of it."""
    by_code = {bubble.code: bubble for bubble in session.exec(select(Bubble))}
    for line in life.remembered("withdrawn"):
        if line["code"] in by_code and not by_code[line["code"]].withdrawn_at:
            yield f"{line['code']} was withdrawn and stands"
    if life.remembered("left"):
        yield from (
            f"{code} stands, and its author has left" for code, each in by_code.items() if not each.withdrawn_at
        )
        if session.exec(select(Departure).where(col(Departure.done_at).is_(None))).first():
            yield "the departure is not done"
    keys = [key for key in life.house.blobs.keys("") if not key.startswith(KEPT_APART)]
    for bubble in by_code.values():
        if bubble.withdrawn_at:
            rows = [table.__name__ for table in (Transcript, SearchDocument) if session.get(table, bubble.id)]
            rows += [each.blob_key for each in session.exec(select(Rendition).where(Rendition.bubble_id == bubble.id))]
            left = [*rows, *(key for key in keys if bubble.code in key)]
            words = [bubble.title, bubble.tags, bubble.peaks, bubble.place, bubble.recording_key]
            if left or any(words):
                yield f"of the withdrawn {bubble.code} there is still {left or words}"


def queue_is_at_rest(life: Life, session: Session) -> Iterator[str]:
    """No job is stuck or has failed. One that is due later is fine as long as its step waits."""
    left = "SELECT task_name, status::text FROM procrastinate_jobs WHERE scheduled_at IS NULL OR scheduled_at <= now()"
    for name, status in session.connection().execute(text(left)):
        yield f"a job {name} is {status}"


def nothing_is_left_over(life: Life, session: Session) -> Iterator[str]:
    """The store holds what rows name and nothing else; no doom is forgotten, no temporary file, no upload left open."""
    named = {bubble.recording_key for bubble in session.exec(select(Bubble))} - {None}
    named |= {rendition.blob_key for rendition in session.exec(select(Rendition))}
    for key in set(life.house.blobs.keys("")) - named:
        if not key.startswith(KEPT_APART):
            yield f"no row names the blob {key}"
    yield from (f"{doomed.blob_key} is still doomed" for doomed in session.exec(select(Discard)))
    for upload in session.exec(select(Upload).where(col(Upload.ended_at).is_(None))):
        yield f"upload {upload.id} is open"
    for path in _temporary(life.house):
        yield f"{path} is left"


def upkeep_is_done(life: Life, session: Session) -> Iterator[str]:
    """All that runs by itself ran well, and left nothing undone."""
    for chore in session.exec(select(Chore)):
        if chore.failed_at == chore.ran_at or chore.latest.get("orphans_kept"):
            yield f"{chore.name} has not done its work: {chore.latest}"


def _temporary(house: House) -> Iterator[Path]:
    for folder in (house.settings.data_dir / "work", house.settings.uploads_dir):
        yield from folder.rglob("*")
    yield from (path for path in (house.settings.data_dir / "blobs").rglob(".*") if path.is_file())


def _digest(house: House, key: str) -> str | None:
    """SHA-256 of a blob; None when it is not there."""
    try:
        chunks = house.blobs.open_range(key, 0, house.blobs.size(key))
        return hashlib.sha256(b"".join(chunks)).hexdigest()
    except KeyError:
        return None


Promise = Callable[[Life, Session], Iterator[str]]
AT_ONCE: list[Promise] = [
    acknowledged_once,
    changes_kept,
    journeys_ended,
    sound_is_whole,
    withdrawn_is_gone,
    queue_is_at_rest,
]
A_DAY_LATER: list[Promise] = [nothing_is_left_over, upkeep_is_done]
