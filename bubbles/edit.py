"""Edit: what the team may change of a bubble once it stands."""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlmodel import Session

from bubbles.db import attempts, bubbles, search, steps
from bubbles.errors import Code, Refused
from bubbles.model.attempt import Attempt
from bubbles.model.bubble import Bubble, Visibility
from bubbles.model.cue import Cue
from bubbles.model.draft import TextLimits, choice
from bubbles.model.licence import Licence
from bubbles.model.place import Place, PlaceRole, Precision, snap
from bubbles.model.step import StepName, Urgency, turn_of
from bubbles.model.texts import clean_language, clean_line, clean_tags, clean_text
from bubbles.model.transcript import Transcript, as_json

FIELDS = frozenset({"title", "tags", "language", "visibility", "place", "licence"})
PLACE_FIELDS = frozenset({"latitude", "longitude", "precision", "role"})
CUES_MAX = 1_000
CUE_LENGTH_MAX = 1_000
SECONDS_MAX = 1e6
DEGREES_MAX = 180
TEXT_MAX = 400
TEXT_PER_SECOND_MAX = 40
"""Characters of a transcript: a generous allowance, and twice what the fastest speakers say in a second."""
TRANSCRIPTIONS_PER_HOUR = 10
"""How often the words of one bubble are written down again because its language was changed."""


def edit(
    session: Session,
    bubble: Bubble,
    patch: Mapping[str, Any],
    *,
    expected_version: int | None,
    limits: TextLimits,
    now: datetime,
) -> Bubble:
    """Applies a merge-patch (RFC 7396); returns the bubble as it is then.

    Raises `bad_request` for unknown fields and kinds, `conflict` when `expected_version` is stale, `bad_text`,
    `bad_place`. A new language has the words written down again, unless they were corrected; `rate_limited` when that
    was often enough.
    """
    unknown = sorted(set(patch) - FIELDS)
    if unknown:
        raise Refused(Code.BAD_REQUEST, f"Unknown field: {', '.join(unknown)[:200]}.")
    bubble = _standing(session, bubble)
    if expected_version is not None and expected_version != bubble.version:
        raise Refused(Code.CONFLICT, "The bubble was changed meanwhile; read it again.")
    language = bubble.language
    _apply(bubble, patch, limits)
    bubble.version += 1
    session.flush()
    if bubble.language != language:
        _transcribe_again(session, bubble, now)
    _reindex(session, bubble)
    return bubble


def _standing(session: Session, bubble: Bubble) -> Bubble:
    """The bubble, locked; raises `conflict` when it is withdrawn, since what was purged must not come back."""
    bubble = bubbles.lock(session, bubble.id)
    if bubble.withdrawn_at:
        raise Refused(Code.CONFLICT, "The bubble is withdrawn.")
    return bubble


def _apply(bubble: Bubble, patch: Mapping[str, Any], limits: TextLimits) -> None:
    if "title" in patch:
        bubble.title = clean_line(_text(_given(patch["title"], ""), "title"), what="title", length_max=limits.title_max)
    if "tags" in patch:
        bubble.tags = clean_tags(
            _texts(_given(patch["tags"], [])), count_max=limits.tags_max, length_max=limits.tag_max
        )
    if "language" in patch:
        language = patch["language"]
        bubble.language = None if language is None else clean_language(_text(language, "language"))
    if "visibility" in patch:
        bubble.visibility = choice(Visibility, patch["visibility"], what="visibility")
    if "licence" in patch:
        bubble.licence = choice(Licence, patch["licence"], what="licence")
    if "place" in patch:
        bubble.place = moved(bubble.place, patch["place"])


def moved(place: Place | None, patch: object) -> Place | None:
    """The place after a merge-patch of `latitude, longitude, precision, role`; None takes it away.

    A coarser precision snaps the stored point again; a finer one needs a new point, else `bad_place`.
    """
    if patch is None:
        return None
    if not isinstance(patch, dict) or set(patch) - PLACE_FIELDS:
        raise Refused(Code.BAD_REQUEST, f"place must be an object of {', '.join(sorted(PLACE_FIELDS))}, or null.")
    role = choice(PlaceRole, _given(patch.get("role"), place.role if place else PlaceRole.RECORDED), what="role")
    wanted = _given(patch.get("precision"), place.precision if place else role.default_precision)
    precision = choice(Precision, wanted, what="precision")
    if ("latitude" in patch) != ("longitude" in patch):
        raise Refused(Code.BAD_PLACE, "Send both latitude and longitude, or neither.")
    if "latitude" in patch:
        return snap(_degrees(patch["latitude"]), _degrees(patch["longitude"]), precision, role)
    if place is None or precision.coarseness < place.precision.coarseness:
        raise Refused(Code.BAD_PLACE, "A finer precision needs a new latitude and longitude.")
    return snap(place.latitude, place.longitude, precision, role)


def correct(
    session: Session, bubble: Bubble, *, language: str | None, cues: object, account_id: int, now: datetime
) -> Transcript:
    """Replaces the words by what the team says was said; a new run of Whisper leaves them as they are.

    `cues` is a list of `{start_s, end_s, text, unsure}` in order, within the bubble. Raises `bad_request`, `bad_text`.
    """
    bubble = _standing(session, bubble)
    if bubble.playable_at is None:
        raise Refused(Code.CONFLICT, "The bubble is still being prepared; correct its words when it plays.")
    said = Transcript(
        bubble_id=bubble.id,
        language=clean_language(language) if language else None,
        cues=as_json(_cues(cues, bubble.duration_s)),
        created_at=now,
        corrected_at=now,
        corrected_by=account_id,
    )
    said = session.merge(said)
    bubble.version += 1
    session.flush()
    search.index(session, bubble, said)
    return said


def _cues(cues: object, duration_s: float) -> list[Cue]:
    if not isinstance(cues, list) or len(cues) > CUES_MAX:
        raise Refused(Code.BAD_REQUEST, f"cues must be a list of at most {CUES_MAX}.")
    read = [_cue(cue, duration_s) for cue in cues]
    if sum(len(cue.text) for cue in read) > TEXT_MAX + TEXT_PER_SECOND_MAX * duration_s:
        raise Refused(Code.BAD_TEXT, "The words are more than can be said in so short a time.")
    if any(later.start_s < earlier.start_s for earlier, later in pairwise(read)):
        raise Refused(Code.BAD_REQUEST, "cues must be in the order of their start_s.")
    return read


def _cue(cue: object, duration_s: float) -> Cue:
    if not isinstance(cue, dict) or set(cue) - {"start_s", "end_s", "text", "unsure"}:
        raise Refused(Code.BAD_REQUEST, "A cue is an object of start_s, end_s, text, unsure.")
    start_s, end_s = round(_seconds(cue.get("start_s")), 3), round(_seconds(cue.get("end_s")), 3)
    unsure = cue.get("unsure", False)
    if not (0 <= start_s < end_s <= duration_s + 1) or not isinstance(unsure, bool):
        raise Refused(Code.BAD_REQUEST, "A cue starts before it ends, within the bubble; unsure is true or false.")
    text = clean_text(" ".join(_text(cue.get("text"), "text").split()), what="cue", length_max=CUE_LENGTH_MAX)
    if not text:
        raise Refused(Code.BAD_TEXT, "A cue has text.")
    return Cue(start_s=start_s, end_s=end_s, text=text, unsure=unsure)


def _transcribe_again(session: Session, bubble: Bubble, now: datetime) -> None:
    said, step = bubbles.transcript(session, bubble.id), steps.of(session, bubble.id, StepName.TRANSCRIBE)
    if step is None or (said and said.corrected_at):
        return
    if step.started_at or step.gave_up_at:  # one that still waits to begin is no more work than before
        _count_transcription(session, bubble, now)
    bubble.ready_at = None
    turn_at = turn_of(now, bubble.duration_s, Urgency.AGAIN)
    steps.enqueue(session, bubble.id, StepName.TRANSCRIBE, now, turn_at=turn_at)


def _count_transcription(session: Session, bubble: Bubble, now: datetime) -> None:
    """Counts one more, or raises `rate_limited`. The bubble is locked, so that none is counted beside it."""
    subject = f"transcribe again {bubble.id}".encode()
    if wait_s := attempts.full_for_s(session, {subject}, per_hour=TRANSCRIPTIONS_PER_HOUR, now=now):
        sentence = "Its words were written down often enough in this hour; correct them instead."
        raise Refused(Code.RATE_LIMITED, sentence, retry_after_s=wait_s)
    session.add(Attempt(subject=subject, tried_at=now))


def _reindex(session: Session, bubble: Bubble) -> None:
    if bubble.playable_at:
        search.index(session, bubble, bubbles.transcript(session, bubble.id))


def _given(value: Any, default: Any) -> Any:
    """In a merge-patch null, and nothing else, stands for what is there by default."""
    return default if value is None else value


def _degrees(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= DEGREES_MAX:
        raise Refused(Code.BAD_PLACE, "latitude and longitude must be numbers of degrees.")
    return float(value)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise Refused(Code.BAD_REQUEST, f"{what} must be text.")
    return value


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise Refused(Code.BAD_REQUEST, "tags must be a list of texts.")
    return [_text(each, "a tag") for each in value]


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < SECONDS_MAX:
        raise Refused(Code.BAD_REQUEST, "start_s and end_s must be numbers of seconds.")
    return float(value)
