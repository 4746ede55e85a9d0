"""The bubble as a resource: who sees it, what the team may change, and how it ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from bubbles import edit
from bubbles.app import House
from bubbles.db import bubbles, search, steps
from bubbles.http.asgi import create_app
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Membership, Role
from bubbles.model.place import PlaceRole, Precision, snap
from bubbles.model.step import StepName
from bubbles.model.transcript import Transcript

CUES = [
    {"start_s": 0.0, "end_s": 2.0, "text": "Fresh lemons at the harbour", "unsure": False},
    {"start_s": 2.0, "end_s": 4.0, "text": "perhaps zebras", "unsure": True},
]


@pytest.fixture
def client(house) -> Iterator[TestClient]:
    with TestClient(create_app(house), raise_server_exceptions=False) as client:
        yield client


@dataclass
class Posted:
    """A ready bubble, and the headers of its channel's owner."""

    bubble: Bubble
    owner: dict[str, str]

    @property
    def path(self) -> str:
        return f"/api/bubbles/{self.bubble.code}"


@pytest.fixture
def posted(world, house, clock) -> Posted:
    channel, owner = world.channel()
    bubble = world.bubble(channel, title="Market day")
    with house.database.transaction() as session:
        row = bubbles.lock(session, bubble.id)
        row.place = snap(45.7640, 4.8357, Precision.STREET, PlaceRole.RECORDED)
        row.ready_at = clock()
        said = Transcript(bubble_id=bubble.id, language="en", cues=CUES, created_at=clock())
        session.add(said)
        steps.enqueue(session, bubble.id, StepName.TRANSCRIBE, clock())
        step = steps.begin(session, bubble.id, StepName.TRANSCRIBE, clock())
        session.flush()
        steps.finish(session, step, clock())
        search.index(session, row, said)
    return Posted(bubble, owner)


def test_a_stranger_sees_a_public_bubble_without_what_is_the_teams(client, posted):
    told = client.get(posted.path).json()
    assert (told["state"], told["transcript"]["state"], told["queue"]) == ("ready", "done", None)
    assert "keep_recording" not in told
    assert "keep_recording" in client.get(posted.path, headers=posted.owner).json()


@pytest.mark.parametrize(
    "change",
    [
        {"visibility": "private"},
        {"held_at": True},
        {"refused_at": True},
        {"failed_at": True},
        {"withdrawn_at": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_open_is_the_same_404_everywhere_for_a_stranger(client, posted, house, clock, change):
    with house.database.transaction() as session:
        row = bubbles.lock(session, posted.bubble.id)
        for name, value in change.items():
            setattr(row, name, clock() if value is True else value)
    code = posted.bubble.code
    unknown = client.get("/api/bubbles/AAAAAAAAAAAAAAAA").json()
    for path in (posted.path, f"{posted.path}/events", f"/media/{code}.m4a", f"/b/{code}.vtt", f"/b/{code}"):
        answer = client.get(path)
        assert answer.status_code == 404, path
    assert client.get(posted.path).json() == unknown
    assert client.get("/api/bubbles", params={"q": "lemons", "channel": "nobody"}).json()["items"] == []
    assert code not in client.get("/api/bubbles", params={"q": "lemons"}).text
    assert client.get(posted.path, headers=posted.owner).status_code == 200


def test_an_unlisted_bubble_is_seen_by_link_alone_and_kept_by_no_cache(client, posted):
    assert client.patch(posted.path, json={"visibility": "unlisted"}, headers=posted.owner).status_code == 200
    answer = client.get(posted.path)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert posted.bubble.code not in client.get("/api/bubbles", params={"q": "lemons"}).text


def test_a_patch_changes_what_it_names_and_search_follows(client, posted):
    answer = client.patch(posted.path, json={"title": "Zanzibar", "tags": ["One", "one", "#two"]}, headers=posted.owner)
    assert (answer.json()["title"], answer.json()["tags"]) == ("Zanzibar", ["one", "two"])
    assert posted.bubble.code in client.get("/api/bubbles", params={"q": "zanzibar"}).text
    assert client.patch(posted.path, json={"tags": None}, headers=posted.owner).json()["tags"] == []


@pytest.mark.parametrize(
    ("patch", "status", "code"),
    [
        ({"state": "ready"}, 400, "bad_request"),
        ({"title": 7}, 400, "bad_request"),
        ({"tags": "a"}, 400, "bad_request"),
        ({"visibility": None}, 400, "bad_request"),
        ({"place": {"city": "Lyon"}}, 400, "bad_request"),
        ({"place": {"precision": "exact"}}, 422, "bad_place"),
        ({"place": {"latitude": 3}}, 422, "bad_place"),
        ({"place": {"latitude": True, "longitude": []}}, 422, "bad_place"),
        ({"title": "x" * 201}, 422, "bad_text"),
        ({"language": "?"}, 422, "bad_text"),
    ],
)
def test_a_patch_that_is_wrong_changes_nothing(client, posted, patch, status, code):
    before = client.get(posted.path, headers=posted.owner).json()
    answer = client.patch(posted.path, json={"title": "Half done"} | patch, headers=posted.owner)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert client.get(posted.path, headers=posted.owner).json() == before


def test_a_coarser_precision_snaps_again_and_null_takes_the_place_away(client, posted):
    told = client.patch(posted.path, json={"place": {"precision": "town"}}, headers=posted.owner).json()
    assert (told["place"]["precision"], told["place"]["radius_m"] > 5_000) == ("town", True)
    assert client.patch(posted.path, json={"place": None}, headers=posted.owner).json()["place"] is None


def test_a_stale_if_match_is_a_conflict(client, posted):
    etag = client.get(posted.path, headers=posted.owner).headers["etag"]
    headers = posted.owner | {"If-Match": etag}
    assert client.patch(posted.path, json={"title": "One"}, headers=headers).status_code == 200
    answer = client.patch(posted.path, json={"title": "Two"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_new_language_has_the_words_written_down_again_unless_they_were_corrected(client, posted, house):
    client.patch(posted.path, json={"language": "fr"}, headers=posted.owner)
    assert client.get(posted.path).json()["transcript"]["state"] == "waiting"
    answer = client.put(f"{posted.path}/transcript", json={"language": "fr", "cues": CUES[:1]}, headers=posted.owner)
    assert answer.status_code == 200
    client.patch(posted.path, json={"language": "de"}, headers=posted.owner)
    with house.database.transaction() as session:
        assert steps.of(session, posted.bubble.id, StepName.TRANSCRIBE).attempt == 2


def heard(house: House, posted: Posted, *, ends: bool = True) -> None:
    """A worker begins to write the words down, and ends, or finds that the model is away."""
    with house.database.transaction() as session:
        step = steps.begin(session, posted.bubble.id, StepName.TRANSCRIBE, house.now())
        session.flush()
        if ends:
            steps.finish(session, step, house.now())
        else:
            steps.put_off(session, step, wait=timedelta(0), waiting_for="model", error=None, counted=False)


def test_waiting_for_a_part_long_does_not_use_up_new_languages(client, posted, house):
    client.patch(posted.path, json={"language": "fr"}, headers=posted.owner)
    for _ in range(30):
        heard(house, posted, ends=False)
    for number in range(30):
        language = ("de", "fr")[number % 2]
        assert client.patch(posted.path, json={"language": language}, headers=posted.owner).status_code == 200


def test_words_are_written_down_again_so_often_an_hour(client, posted, house, clock):
    for number in range(edit.TRANSCRIPTIONS_PER_HOUR):
        language = ("de", "fr")[number % 2]
        assert client.patch(posted.path, json={"language": language}, headers=posted.owner).status_code == 200
        clock.pass_s(60)
        heard(house, posted)
    refused = client.patch(posted.path, json={"language": "it"}, headers=posted.owner)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert client.get(posted.path).json()["language"] == "fr"
    assert client.patch(posted.path, json={"title": "Still"}, headers=posted.owner).status_code == 200
    clock.pass_s(int(refused.headers["Retry-After"]))
    assert client.patch(posted.path, json={"language": "it"}, headers=posted.owner).status_code == 200


def test_corrected_words_replace_what_was_heard_and_are_found(client, posted):
    cues = [{"start_s": 1, "end_s": 2, "text": "Quinces and pears"}]
    answer = client.put(f"{posted.path}/transcript", json={"language": "en", "cues": cues}, headers=posted.owner)
    assert (answer.json()["text"], answer.json()["corrected"]) == ("Quinces and pears", True)
    found = client.get("/api/bubbles", params={"q": "quince"}).json()["items"]
    assert [item["code"] for item in found] == [posted.bubble.code]
    assert posted.bubble.code not in client.get("/api/bubbles", params={"q": "lemons"}).text


def test_unsure_words_are_told_and_not_found(client, posted):
    assert "zebras" in client.get(posted.path).json()["transcript"]["text"]
    assert posted.bubble.code not in client.get("/api/bubbles", params={"q": "zebras"}).text


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"cues": 1},
        {"cues": [1]},
        {"cues": [{"start_s": 2, "end_s": 1, "text": "x"}]},
        {"cues": [{"start_s": 0, "end_s": 1e9, "text": "x"}]},
        {"cues": [{"start_s": 0, "end_s": 1, "text": "x", "unsure": 1}]},
        {"cues": [{"start_s": 0, "end_s": 1, "text": "x", "html": "y"}]},
        {"cues": [{"start_s": 3, "end_s": 4, "text": "x"}, {"start_s": 0, "end_s": 1, "text": "y"}]},
        {"cues": [], "language": 3},
    ],
)
def test_words_that_are_no_cues_are_a_bad_request(client, posted, sent):
    answer = client.put(f"{posted.path}/transcript", json=sent, headers=posted.owner)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_a_bad_request(client, posted, body):
    answer = client.patch(posted.path, content=body, headers=posted.owner)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_an_author_of_the_team_changes_only_what_is_theirs(client, posted, world, house, clock):
    other, headers = world.channel()
    with house.database.transaction() as session:
        member = Membership(channel_id=posted.bubble.channel_id, account_id=other.id, role=Role.AUTHOR, since=clock())
        session.add(member)
    assert client.patch(posted.path, json={"title": "Mine"}, headers=headers).json()["code"] == "forbidden"
    with house.database.transaction() as session:
        bubbles.lock(session, posted.bubble.id).author_id = other.id
    assert client.patch(posted.path, json={"title": "Mine"}, headers=headers).status_code == 200


def test_strangers_change_nothing(client, posted, world):
    _, other = world.channel()
    for headers, code in (({}, "unauthorised"), (other, "forbidden")):
        assert client.patch(posted.path, json={}, headers=headers).json()["code"] == code
        assert client.delete(posted.path, headers=headers).json()["code"] == code
        answer = client.put(f"{posted.path}/transcript", json={"cues": []}, headers=headers)
        assert answer.json()["code"] == code


def test_withdrawing_empties_the_row_and_dooms_the_blobs(client, posted, house):
    from bubbles.upkeep import discard

    assert client.delete(posted.path, headers=posted.owner).status_code == 204
    assert client.get(posted.path).status_code == 404
    told = client.get(posted.path, headers=posted.owner).json()
    assert (told["state"], told["title"], told["place"], told["transcript"]["text"]) == ("withdrawn", "", None, "")
    assert discard(house.database, house.blobs, now=house.now()) >= 2
    assert not any(posted.bubble.code in key for key in house.blobs.keys("renditions/"))


def test_what_is_withdrawn_is_not_filled_again(client, posted):
    client.delete(posted.path, headers=posted.owner)
    for answer in (
        client.patch(posted.path, json={"title": "Back again"}, headers=posted.owner),
        client.put(f"{posted.path}/transcript", json={"cues": CUES}, headers=posted.owner),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_a_transcript_has_no_more_words_than_can_be_said(client, posted):
    cues = [{"start_s": 0, "end_s": 1, "text": "word " * 199}] * 10
    answer = client.put(f"{posted.path}/transcript", json={"cues": cues}, headers=posted.owner)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_text")


def test_only_null_takes_away(client, posted):
    for patch in ({"title": 0}, {"title": []}, {"tags": {}}, {"language": 0}, {"place": {"role": 0}}):
        assert client.patch(posted.path, json=patch, headers=posted.owner).status_code == 400, patch


def test_an_unknown_path_is_a_problem_for_programs_and_a_page_for_people(client):
    assert client.get("/nowhere").json()["code"] == "not_found"
    page = client.get("/nowhere", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (404, "text/html")
