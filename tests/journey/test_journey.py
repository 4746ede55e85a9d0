"""The main job, end to end, on real parts: PostgreSQL, Whisper, disk or SeaweedFS, over HTTP."""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tests.blobs.seaweed import seaweed
from tests.journey.service import Service, running, wait_for

PLACE = {"latitude": "45.7640", "longitude": "4.8357", "precision": "street"}


@dataclass
class Journey:
    """A service with one bubble in it, ready."""

    service: Service
    owner: httpx.Client
    stranger: httpx.Client
    accepted: dict
    ready: dict
    words: list[str]


@pytest.fixture(scope="module", params=["disk", "s3"])
def journey(request, tmp_path_factory, speech) -> Iterator[Journey]:
    folder = tmp_path_factory.mktemp(f"journey-{request.param}")
    if request.param == "disk":
        with running(folder) as service:
            yield _published(service, speech)
        return
    with seaweed(folder / "seaweed") as s3:
        settings = {
            "BLOB_URL": s3.url("bubbles"),
            "S3_ACCESS_KEY_ID": s3.access_key,
            "S3_SECRET_ACCESS_KEY": s3.secret_key,
        }
        with running(folder, **settings) as service:
            yield _published(service, speech)


def _published(service: Service, speech) -> Journey:
    service.command("account", "create", "ana")
    owner, stranger = service.client(service.command("token", "create", "ana")), service.client()
    answer = owner.post(
        "/api/bubbles",
        files={"audio": (speech.path.name, speech.path.read_bytes())},
        data=PLACE | {"title": "Down by the quay", "tags": "river,quay"},
        headers={"Idempotency-Key": "first"},
    )
    assert answer.status_code == 202, answer.text
    accepted = answer.json()
    ready = wait_for(lambda: _if_ready(stranger, accepted["code"]))
    words = [word for word in speech.text.split() if len(word) > 5]
    return Journey(service, owner, stranger, accepted, ready, words)


def _if_ready(client: httpx.Client, code: str) -> dict | None:
    told = client.get(f"/api/bubbles/{code}").json()
    return told if told["state"] == "ready" else None


def test_the_202_holds_the_share_link_and_the_same_key_gives_the_same_bubble(journey, speech):
    accepted = journey.accepted
    assert accepted["url"].endswith(f"/b/{accepted['code']}")
    form = {
        "data": PLACE | {"title": "Down by the quay", "tags": "river,quay"},
        "headers": {"Idempotency-Key": "first"},
    }
    again = journey.owner.post("/api/bubbles", files={"audio": ("x", speech.path.read_bytes())}, **form)
    assert (again.status_code, again.json()["code"]) == (202, accepted["code"])
    form["data"]["title"] = "Another"
    other = journey.owner.post("/api/bubbles", files={"audio": ("x", speech.path.read_bytes())}, **form)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


def test_what_was_said_is_written_down_with_times(journey):
    transcript = journey.ready["transcript"]
    assert transcript["state"] == "done"
    heard = re.sub(r"[^\w\s']", "", transcript["text"].lower()).split()
    assert sum(word in heard for word in journey.words) >= len(journey.words) * 0.7
    times = [(cue["start_s"], cue["end_s"]) for cue in transcript["cues"]]
    assert times == sorted(times)
    assert all(0 <= start < end <= journey.ready["duration_s"] + 1 for start, end in times)


def test_it_is_found_by_a_word_that_was_said_and_the_second_is_named(journey):
    heard = journey.ready["transcript"]["text"].lower()
    word = next(word for word in journey.words if word in heard)
    query = {"q": word, "near": "45.76,4.83", "radius_m": "5000"}
    (item,) = journey.stranger.get("/api/bubbles", params=query).json()["items"]
    assert item["code"] == journey.ready["code"]
    assert any(cue["start_s"] == item["match"]["start_s"] for cue in journey.ready["transcript"]["cues"])
    assert word in item["match"]["snippet"].lower()
    assert journey.stranger.get("/api/bubbles", params={"q": "xylophone"}).json()["items"] == []


def test_geojson_draws_the_cell_and_not_the_point_that_was_sent(journey):
    (feature,) = journey.stranger.get("/api/bubbles.geojson").json()["features"]
    longitude, latitude = feature["geometry"]["coordinates"]
    assert (latitude, longitude) != (45.7640, 4.8357)
    ring = feature["properties"]["cell"]["coordinates"][0]
    assert min(p[0] for p in ring) <= 4.8357 <= max(p[0] for p in ring)
    assert min(p[1] for p in ring) <= 45.7640 <= max(p[1] for p in ring)


def test_both_renditions_play_whole_and_in_ranges(journey):
    for rendition in journey.ready["renditions"]:
        path = rendition["url"].split("/media/")[1]
        whole = journey.stranger.get(f"/media/{path}")
        part = journey.stranger.get(f"/media/{path}", headers={"Range": "bytes=10-19"})
        assert (whole.status_code, len(whole.content)) == (200, rendition["length_bytes"])
        assert (part.status_code, part.content) == (206, whole.content[10:20])
        etag = {"If-None-Match": whole.headers["etag"]}
        assert journey.stranger.get(f"/media/{path}", headers=etag).status_code == 304


def test_the_share_page_plays_and_reads_without_javascript(journey):
    page = journey.stranger.get(f"/b/{journey.ready['code']}").text
    assert "<audio" in page and f"/media/{journey.ready['code']}.m4a" in page
    linked_data = json.loads(re.search(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page, re.S)[1])
    assert linked_data["@type"] == "AudioObject"
    assert journey.ready["transcript"]["text"].split()[0] in linked_data["transcript"]
    assert 'property="og:audio"' in page
    cue = journey.ready["transcript"]["cues"][0]
    assert f"#t={int(cue['start_s'])}" in page


@pytest.mark.parametrize("form", ["vtt", "srt", "txt", "json"])
def test_the_words_are_there_in_every_form(journey, form):
    answer = journey.stranger.get(f"/b/{journey.ready['code']}.{form}")
    assert answer.status_code == 200
    assert journey.ready["transcript"]["cues"][0]["text"].split()[0] in answer.text


def test_how_it_was_heard_is_told_to_the_team_alone_as_of_the_last_hour(journey):
    code, play = journey.ready["code"], uuid.uuid4().hex
    listener = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
    journey.stranger.get(f"/media/{code}.ogg", headers=listener)
    for heard in ([], [[0, 1.5]]):
        told = {"code": code, "play": play, "heard": heard}
        assert journey.stranger.post("/api/listens", json=told, headers=listener).status_code == 204
    assert journey.stranger.get(f"/api/bubbles/{code}/stats").status_code == 401
    told = journey.owner.get(f"/api/bubbles/{code}/stats").json()
    assert told["as_of"].endswith(":00:00Z")
    assert told["starts"] in {0, 1}  # 1 once the hour is over


def test_events_end_with_the_state_that_the_journey_ended_in(journey):
    with journey.stranger.stream("GET", f"/api/bubbles/{journey.ready['code']}/events") as stream:
        body = "".join(stream.iter_text())
    assert '"state": "ready"' in body


def test_the_recording_is_dropped_once_its_words_are_written_down(journey):
    wait_for(lambda: "recordings/" not in "\n".join(_blob_keys(journey.service)))  # right after it is ready


def test_a_withdrawn_bubble_is_gone_at_once_and_everywhere(journey, speech):
    form = {"data": {"title": "Brief"}, "files": {"audio": ("x", speech.path.read_bytes())}}
    code = journey.owner.post("/api/bubbles", **form).json()["code"]
    wait_for(lambda: _if_ready(journey.stranger, code))
    assert journey.owner.delete(f"/api/bubbles/{code}").status_code == 204
    for path in (f"/b/{code}", f"/b/{code}.vtt", f"/media/{code}.m4a", f"/api/bubbles/{code}"):
        assert journey.stranger.get(path).status_code == 404, path
    assert code not in journey.stranger.get("/api/bubbles").text
    wait_for(lambda: not any(code in key for key in _blob_keys(journey.service)))


def _blob_keys(service: Service) -> list[str]:
    from bubbles import app
    from bubbles.config import Settings

    wanted = {name.removeprefix("BUBBLES_").lower(): value for name, value in service.environment.items()}
    known = {name: value for name, value in wanted.items() if name in Settings.model_fields}
    return list(app.store(Settings(**known)).keys(""))
