"""Who sends an upload again with its key, out of the team by now, is told what they sent and nothing of the team's."""

from typing import Any

import jsonschema_rs
import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from bubbles import channels, moderation
from bubbles.app import House
from bubbles.db import bubbles, steps
from bubbles.http import uploads
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Role
from bubbles.model.step import StepName
from bubbles.model.transcript import Transcript, as_json
from tests.http.pages_fixtures import LYON, WORDS
from tests.http.test_members import Brand
from tests.http.uploading import post, tone

SENT = {"title": "As sent", "tags": "mine", "latitude": "48.8566", "longitude": "2.3522", "language": "fr"}
SECRET = "what the team made of it"
KEPT = ("code", "url", "title", "tags", "language", "visibility", "licence", "duration_s", "recorded_at", "created_at")
TEAM_ONLY = {"version", "failed_reason", "held_reason", "refused_reason", "withdrawn_reason", "queue"}


@pytest.fixture
def brand(people: Any, house: House) -> Brand:
    return Brand(people, house)


def rewritten(house: House, code: str, **columns: Any) -> None:
    """The team gives it another title, other words and whatever else."""
    with house.database.transaction() as session:
        bubble = session.exec(select(Bubble).where(Bubble.code == code)).one()
        bubble.title, bubble.tags, bubble.language, bubble.licence = SECRET, [SECRET], "de", "CC0-1.0"
        bubble.place, bubble.version = LYON, 7
        for name, value in columns.items():
            setattr(bubble, name, value)
        said = Transcript(bubble_id=bubble.id, language="de", cues=as_json(WORDS), created_at=house.now())
        session.add(said)


def sent(client: TestClient, headers: dict[str, str], brand: Brand, **fields: str) -> Any:
    return post(client, headers, tone(), key="the-key", channel=brand.channel.handle, **SENT | fields)


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
@pytest.mark.parametrize(
    ("columns", "state"),
    [
        ({}, "processing"),
        ({"playable_at": True}, "playable"),
        ({"playable_at": True, "ready_at": True}, "ready"),
        ({"playable_at": True, "held_at": True, "held_reason": SECRET}, "processing"),
        ({"refused_at": True, "refused_reason": SECRET}, "processing"),
        ({"failed_at": True}, "processing"),
        ({"withdrawn_at": True, "withdrawn_reason": SECRET}, "processing"),
    ],
    ids=["processing", "playable", "ready", "held", "refused", "failed", "withdrawn"],
)
def test_it_is_what_they_sent(
    client: TestClient, house: House, brand: Brand, visibility: str, columns: dict[str, Any], state: str
) -> None:
    author, headers = brand.accounts[Role.AUTHOR], brand.known[Role.AUTHOR]
    first = sent(client, headers, brand, visibility=visibility).json()
    moments = {name: house.now() if value is True else value for name, value in columns.items()}
    rewritten(house, first["code"], **moments)
    assert SECRET in sent(client, headers, brand, visibility=visibility).text  # in the team, as its team is told
    with house.database.transaction() as session:
        channels.remove_member(session, brand.channel, author)
    again = sent(client, headers, brand, visibility=visibility)
    told = again.json()
    assert (again.status_code, again.headers["location"], again.headers["cache-control"]) == (
        202,
        first["url"],
        "no-store",
    )
    assert {name: told[name] for name in KEPT} == {name: first[name] for name in KEPT}
    assert told["state"] == ("processing" if visibility == "private" else state)
    assert (told["place"]["latitude"], told["place"]["longitude"]) == tuple(
        first["place"][each] for each in ("latitude", "longitude")
    )
    assert not TEAM_ONLY & set(told)
    for word in (SECRET, "lemons", "Lyon", "CC0", '"de"'):
        assert word not in again.text
    assert told["renditions"] == told["peaks"] == told["transcript"]["cues"] == []


def test_the_answer_is_a_bubble_as_it_is_described(client: TestClient, house: House, brand: Brand) -> None:
    sent(client, brand.known[Role.AUTHOR], brand)
    with house.database.transaction() as session:
        channels.remove_member(session, brand.channel, brand.accounts[Role.AUTHOR])
    told = sent(client, brand.known[Role.AUTHOR], brand).json()
    described = client.get("/api/openapi.json").json()
    schema = described["components"]["schemas"]["Bubble"] | {"components": described["components"]}
    jsonschema_rs.validator_for(schema).validate(told)


def test_another_recording_or_other_fields_are_told_apart_without_a_word_of_it(
    client: TestClient, house: House, brand: Brand
) -> None:
    headers = brand.known[Role.AUTHOR]
    code = sent(client, headers, brand).json()["code"]
    rewritten(house, code)
    with house.database.transaction() as session:
        channels.remove_member(session, brand.channel, brand.accounts[Role.AUTHOR])
    answer = sent(client, headers, brand, title=SECRET[:4])
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
    assert code not in answer.text


def test_whoever_is_taken_out_while_their_upload_is_accepted_is_told_what_they_sent(
    client: TestClient, house: House, brand: Brand, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = uploads._accepted

    def after(house: House, *arguments: Any) -> Any:
        with house.database.transaction() as session:
            channels.remove_member(session, brand.channel, brand.accounts[Role.AUTHOR])
        return accepted(house, *arguments)

    monkeypatch.setattr(uploads, "_accepted", after)
    told = sent(client, brand.known[Role.AUTHOR], brand)
    assert told.status_code == 202
    assert not TEAM_ONLY & set(told.json())


def test_a_member_who_sends_it_again_is_told_what_its_team_is(client: TestClient, house: House, brand: Brand) -> None:
    code = sent(client, brand.known[Role.AUTHOR], brand).json()["code"]
    with house.database.transaction() as session:
        bubble = session.exec(select(Bubble).where(Bubble.code == code)).one()
        moderation.hold(session, bubbles.get(session, bubble.id), by="x", reason=SECRET, now=house.now())
        assert steps.of(session, bubble.id, StepName.NORMALISE)
    told = sent(client, brand.known[Role.AUTHOR], brand).json()
    assert (told["state"], told["held_reason"]) == ("held", SECRET)
