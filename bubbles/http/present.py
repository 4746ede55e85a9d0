"""The only shape in which a bubble leaves the house: the JSON of the API, which pages and feeds are made from too."""

from dataclasses import asdict
from typing import Any

from bubbles.db.bubbles import Whole
from bubbles.db.clusters import Cluster
from bubbles.db.towns import Named
from bubbles.find import Found
from bubbles.http import naming
from bubbles.http.languages import DEFAULT
from bubbles.model.bubble import Bubble, State
from bubbles.model.channel import Channel, Membership
from bubbles.model.draft import Draft
from bubbles.model.licence import Licence
from bubbles.model.place import Place, PlaceRole, Precision, cell_of
from bubbles.model.rendition import MEDIA_TYPES, Rendition
from bubbles.model.step import DIED, NO_MEMORY, SPOILED, Step, StepName
from bubbles.model.times import rfc3339
from bubbles.model.transcript import Transcript, TranscriptState

Json = dict[str, Any]
NO_WORDS: Json = {
    "waiting_for": None,
    "failed_reason": None,
    "language": None,
    "language_doubtful": False,
    "corrected": False,
    "text": "",
    "cues": [],
}


def bubble(whole: Whole, base_url: str, *, for_team: bool = False) -> Json:
    """A bubble as anyone who may see it is told; `for_team` adds what only its team is told."""
    row = whole.bubble
    told: Json = {
        "code": row.code,
        "state": row.state,
        "url": f"{base_url}/b/{row.code}",
        "title": row.title,
        "tags": row.tags,
        "language": row.language,
        "visibility": row.visibility,
        "licence": row.licence,
        "channel": channel(whole.channel, base_url),
        "place": place(row.place, whole.town),
        "duration_s": round(row.duration_s, 3),
        "recorded_at": rfc3339(row.recorded_at),
        "created_at": rfc3339(row.created_at),
        "published_at": rfc3339(row.playable_at) if row.playable_at else None,
        "peaks": list(row.peaks or b""),
        "renditions": [rendition(row, each, base_url) for each in whole.renditions],
        "transcript": transcript(whole),
    }
    return told | team(whole) if for_team else told


def sent(whole: Whole, draft: Draft, base_url: str, *, usual: Licence) -> Json:
    """A bubble as who sent it is told who is not in its team: what they sent, and the state as far as anybody sees it.

    Whatever the team, a moderator or a step made of it since is left out. `usual` is the licence of who chose none.
    """
    row, shown = whole.bubble, whole.bubble.shown_to_strangers
    words = transcript_state(whole.transcript, whole.steps.get(StepName.TRANSCRIBE))
    return {
        "code": row.code,
        "state": row.state if shown else State.PROCESSING,
        "url": f"{base_url}/b/{row.code}",
        "title": draft.title,
        "tags": list(draft.tags),
        "language": draft.language,
        "visibility": draft.visibility,
        "licence": draft.licence or usual,
        "channel": channel(whole.channel, base_url),
        "place": place(draft.place),
        "duration_s": round(row.duration_s, 3),
        "recorded_at": rfc3339(draft.recorded_at or row.created_at),
        "created_at": rfc3339(row.created_at),
        "published_at": None,
        "peaks": [],
        "renditions": [],
        "transcript": NO_WORDS | {"state": words if shown else TranscriptState.WAITING},
    }


def team(whole: Whole) -> Json:
    """What only the team is told."""
    row = whole.bubble
    return {
        "version": row.version,
        "keep_recording": row.keep_recording,
        "consent_version": row.consent_version,
        "failed_reason": _why(whole.steps.get(StepName.NORMALISE)) if row.failed_at else None,
        "held_reason": row.held_reason,
        "refused_reason": row.refused_reason,
        "withdrawn_reason": row.withdrawn_reason,
    }


def channel(row: Channel, base_url: str) -> Json:
    """Who publishes."""
    return {"handle": row.handle, "title": row.title, "url": f"{base_url}/@{row.handle}"}


def member(row: Membership, handle: str) -> Json:
    """Somebody in a team."""
    return {"handle": handle, "role": row.role, "since": rfc3339(row.since)}


def place(at: Place | None, named: Named | None = None) -> Json | None:
    """Where, as blurred as it is stored; with the town that it is named after, whose `name` is in English."""
    if at is None:
        return None
    label = naming.label(named.name, named.region, named.country, DEFAULT) if named else None
    return area(at) | {
        "name": f"near {label}" if named and named.is_near else label,
        "town": asdict(named) if named else None,
    }


def area(at: Place) -> Json:
    """The stored point and how much it tells."""
    return {
        "latitude": at.latitude,
        "longitude": at.longitude,
        "radius_m": at.radius_m,
        "precision": at.precision,
        "role": at.role,
    }


def rendition(row: Bubble, made: Rendition, base_url: str) -> Json:
    """A playable file."""
    return {
        "kind": made.kind,
        "type": MEDIA_TYPES[made.kind],
        "url": f"{base_url}/media/{row.code}.{made.kind}",
        "length_bytes": made.length_bytes,
    }


def transcript(whole: Whole) -> Json:
    """The words and where they stand; `waiting_for` names what is missing, while something is.

    `failed_reason` says in a word why there will be none.
    """
    said, step = whole.transcript, whole.steps.get(StepName.TRANSCRIBE)
    return {
        "state": transcript_state(said, step),
        "waiting_for": step.waiting_for if step else None,
        "failed_reason": _why(step) if transcript_state(said, step) == TranscriptState.FAILED else None,
        "language": said.language if said else None,
        "language_doubtful": said.language_doubtful if said else False,
        "corrected": bool(said and said.corrected_at),
        "text": said.text if said else "",
        "cues": said.cues if said else [],
    }


def transcript_state(said: Transcript | None, step: Step | None) -> TranscriptState:
    """Where the words stand, from the step that writes them down and from what it left."""
    if said is not None and not (step and is_open(step)):
        return TranscriptState.DONE if said.cues else TranscriptState.EMPTY
    if step is not None and step.gave_up_at:
        return TranscriptState.FAILED
    return TranscriptState.RUNNING if step is not None and step.started_at else TranscriptState.WAITING


def _why(step: Step | None) -> str:
    """Why a step was given up, as far as it says something to who sent the sound."""
    return step.error if step is not None and step.error in {SPOILED, DIED, NO_MEMORY} else "error"


def is_open(step: Step) -> bool:
    """Whether a step is still to be done."""
    return step.finished_at is None and step.gave_up_at is None


def found(found: Found) -> Json:
    """What a query adds to a bubble: where the words are said, how far away it is."""
    told: Json = {}
    if found.match is not None:
        told["match"] = asdict(found.match)
    if found.distance_m is not None:
        told["distance_m"] = round(found.distance_m, 1)
    return told


def result(found: Found, base_url: str) -> Json:
    """A bubble that was found, as the lists of pages take it."""
    return {"told": bubble(found.whole, base_url), "match": found.match, "distance_m": found.distance_m}


def feature(whole: Whole, base_url: str) -> Json:
    """A GeoJSON feature: the snapped point, and the cell that is to be drawn instead of a pin."""
    at = whole.bubble.place
    geometry = _point(at.latitude, at.longitude) if at else None
    properties = bubble(whole, base_url) | _cell(at)
    return {"type": "Feature", "id": whole.bubble.code, "geometry": geometry, "properties": properties}


def spot(row: Bubble, by: Channel, base_url: str) -> Json:
    """A bubble on a map, as a GeoJSON feature that says no more than a label needs."""
    at = row.place
    properties: Json = {
        "code": row.code,
        "state": row.state,
        "url": f"{base_url}/b/{row.code}",
        "title": row.title,
        "channel": channel(by, base_url),
        "place": area(at) if at else None,
        "duration_s": round(row.duration_s, 3),
        "recorded_at": rfc3339(row.recorded_at),
    }
    geometry = _point(at.latitude, at.longitude) if at else None
    return {"type": "Feature", "id": row.code, "geometry": geometry, "properties": properties | _cell(at)}


def cluster(found: Cluster) -> Json:
    """Bubbles on a map that stand too close to tell apart; with `cell` where they all share one."""
    box = found.box
    properties: Json = {"cluster": True, "count": found.count, "bbox": [box.west, box.south, box.east, box.north]}
    if found.precision is not None:
        shared = Place(found.latitude, found.longitude, 0.0, found.precision, PlaceRole.RECORDED)
        properties |= {"precision": found.precision} | _cell(shared)
    return {"type": "Feature", "geometry": _point(found.latitude, found.longitude), "properties": properties}


def _point(latitude: float, longitude: float) -> Json:
    return {"type": "Point", "coordinates": [longitude, latitude]}


def _cell(at: Place | None) -> Json:
    """The polygon that a place was snapped to, under its name; nothing for a place that is told exactly."""
    if at is None or at.precision is Precision.EXACT:
        return {}
    cell = cell_of(at.latitude, at.longitude, at.precision)
    return {"cell": {"type": "Polygon", "coordinates": [cell.ring]}}
