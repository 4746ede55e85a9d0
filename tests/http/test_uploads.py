"""Uploads: what is accepted, what is refused and with which code, and that a refusal leaves nothing behind."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select
from starlette.testclient import TestClient

from bubbles import accept, accounts, ids, sign_in
from bubbles.app import House
from bubbles.db import discards, tokens
from bubbles.errors import Missing
from bubbles.http.asgi import create_app
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble
from bubbles.model.step import Step
from bubbles.model.upload import Upload
from bubbles.upkeep import discard, sweep_files
from tests.http.uploading import post, tone


@pytest.fixture
def house(house: House) -> House:
    """Few uploads are enough for these tests."""
    settings = house.settings.model_copy(update={"uploads_per_hour": 20, "request_max_bytes": 300_000})
    return replace(house, settings=settings)


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with TestClient(create_app(house), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def author(world) -> dict[str, str]:
    return world.channel()[1]


def holder_of(session: Session, headers: dict[str, str]) -> Account:
    found = tokens.of_secret(session, ids.hashed(headers["Authorization"].split()[1]))
    assert found is not None
    return found[0]


def left_behind(house: House) -> list[str]:
    """Files in the folder of uploads, blobs of recordings."""
    uploads = house.settings.uploads_dir
    return [str(path) for path in uploads.rglob("*")] if uploads.exists() else list(house.blobs.keys("recordings/"))


def test_an_upload_under_way_is_not_swept_however_long_it_takes(client, author, house, monkeypatch):
    swept = []
    hours_later = house.now() + timedelta(hours=5)

    def slowly(*given: object, accepts=accept.accept, **named: object) -> Bubble:
        swept.append(sweep_files(house.settings.uploads_dir, now=hours_later))
        return accepts(*given, **named)

    monkeypatch.setattr(accept, "accept", slowly)
    assert post(client, author).status_code == 202
    assert swept == [0]


def test_an_accepted_recording_has_row_job_and_blob(client, author, house):
    answer = post(client, author, title="Bonjour", latitude="48.8566", longitude="2.3522", tags="a,b")
    assert answer.status_code == 202
    told = answer.json()
    assert answer.headers["location"] == told["url"]
    assert (told["state"], told["title"], told["tags"]) == ("processing", "Bonjour", ["a", "b"])
    with house.database.transaction() as session:
        bubble = session.exec(select(Bubble).where(Bubble.code == told["code"])).one()
        assert session.get(Step, (bubble.id, "normalise")) is not None
    assert house.blobs.size(bubble.recording_key) == bubble.recording_bytes
    assert list(house.settings.uploads_dir.iterdir()) == []


def test_the_point_that_was_sent_is_stored_nowhere(client, author, house):
    told = post(client, author, latitude="48.85661234", longitude="2.35221234").json()
    assert told["place"]["precision"] == "neighbourhood"
    assert abs(told["place"]["latitude"] - 48.85661234) > 1e-5 or abs(told["place"]["longitude"] - 2.35221234) > 1e-5


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"nonsense": "1"}, 400, "bad_request"),
        ({"visibility": "secret"}, 400, "bad_request"),
        ({"keep_recording": "perhaps"}, 400, "bad_request"),
        ({"recorded_at": "tomorrow"}, 400, "bad_request"),
        ({"recorded_at": "2126-01-01T00:00:00Z"}, 400, "bad_request"),
        ({"latitude": "48"}, 422, "bad_place"),
        ({"latitude": "91", "longitude": "0"}, 422, "bad_place"),
        ({"latitude": "nan", "longitude": "0"}, 422, "bad_place"),
        ({"latitude": "1e400", "longitude": "0"}, 422, "bad_place"),
        ({"title": "x" * 201}, 422, "bad_text"),
        ({"title": "a\x00b"}, 422, "bad_text"),
        ({"title": "\u202egpj.exe"}, 422, "bad_text"),
        ({"tags": ",".join("abcdefghijk")}, 422, "bad_text"),
        ({"language": "klingon!"}, 422, "bad_text"),
        ({"channel": "nobody-there"}, 404, "not_found"),
    ],
)  # fmt: skip
def test_a_refused_field_has_its_code_and_leaves_nothing(client, author, house, fields, status, code):
    answer = post(client, author, **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert left_behind(house) == []


@pytest.mark.parametrize(
    ("sound", "status", "code"),
    [
        (b"", 415, "not_audio"),
        (b"#EXTM3U\n/etc/passwd\n", 415, "not_audio"),
        (tone(level=0.0), 422, "silent"),
        (tone(0.1), 422, "too_short"),
        (tone(121, rate_hz=8_000)[:299_000], 202, None),
    ],
    ids=["empty", "playlist", "silence", "a tenth of a second", "cut short"],
)
def test_a_refused_sound_has_its_code_and_leaves_nothing(client, author, house, sound, status, code):
    answer = post(client, author, sound)
    assert (answer.status_code, answer.json().get("code") if code else None) == (status, code)
    assert code is None or left_behind(house) == []


def test_the_cap_plus_one_byte_is_refused_whatever_content_length_says(client, author, house):
    boundary, cap = "b" * 20, house.settings.request_max_bytes
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'.encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    sound = tone()

    def form(total: int) -> Iterator[bytes]:
        yield head + sound + b"\0" * (total - len(head) - len(sound) - len(tail)) + tail

    headers = author | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    fits = client.post("/api/bubbles", content=form(cap), headers=headers)
    assert fits.status_code == 202, fits.text
    for lie in ({}, {"Content-Length": "10"}):
        over = client.post("/api/bubbles", content=form(cap + 1), headers=headers | lie)
        assert (over.status_code, over.json()["code"]) == (413, "too_large")
    assert list(house.settings.uploads_dir.iterdir()) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b\r\n",
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="audio"\r\n\r\nRIFF',
        b'--b\r\nContent-Disposition: form-data; name="audio"\r\n\r\na\r\n' * 2 + b"--b--\r\n",
        b"--b\r\nContent-Disposition: form-data\r\n\r\na\r\n--b--\r\n",
        b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\n' + b"x" * 70_000 + b"\r\n--b--\r\n",
        b"--b\r\n" + b"X: y\r\n" * 20_000,
        b"\xff" * 1000,
    ],
)
def test_a_malformed_form_is_a_bad_request(client, author, house, body):
    answer = client.post(
        "/api/bubbles", content=body, headers=author | {"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert left_behind(house) == []


def test_a_stranger_and_a_wrong_token_are_unauthorised_before_the_body_is_read(client, house):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}):
        answer = post(client, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised")
    assert left_behind(house) == []


def test_only_the_team_publishes_in_a_channel(client, author, world):
    channel, _ = world.channel()
    answer = post(client, author, channel=channel.handle)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_the_same_key_makes_one_bubble(client, author, house):
    sound = tone()
    first, second = post(client, author, sound, key="k"), post(client, author, sound, key="k")
    assert (second.status_code, second.json()["code"]) == (202, first.json()["code"])
    other = post(client, author, tone(2), key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    with house.database.transaction() as session:
        assert len(session.exec(select(Upload).where(Upload.idempotency_key == "k")).all()) == 1


def test_a_key_whose_upload_was_refused_is_free_again(client, author):
    assert post(client, author, b"no sound", key="again").status_code == 415
    assert post(client, author, key="again").status_code == 202


def test_a_key_in_use_is_a_conflict_until_its_upload_could_not_be_alive(client, author, house, clock):
    with house.database.transaction() as session:
        account = holder_of(session, author)
        session.add(Upload(account_id=account.id, idempotency_key="busy", started_at=clock()))
    clock.pass_s(5)
    busy = post(client, author, key="busy")
    assert (busy.status_code, busy.json()["code"], busy.headers["Retry-After"]) == (409, "conflict", "15")
    clock.pass_s(15)
    assert post(client, author, key="busy").status_code == 202


def test_tries_are_counted_refused_ones_too_and_told_when_to_come_back(client, author, house, clock):
    for _ in range(house.settings.uploads_per_hour):
        post(client, author, b"no sound")
    answer = post(client, author)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    clock.pass_s(int(answer.headers["retry-after"]))
    assert post(client, author).status_code == 202


def test_uploads_at_once_are_few_and_the_dead_do_not_count(client, author, house, clock):
    with house.database.transaction() as session:
        account = holder_of(session, author)
        session.add_all(
            Upload(account_id=account.id, started_at=clock()) for _ in range(house.settings.uploads_at_once)
        )
    assert post(client, author).json()["code"] == "rate_limited"
    clock.at += timedelta(seconds=21)
    assert post(client, author).status_code == 202


class AwayStore:
    def __getattr__(self, name: str):
        def away(*args: object, **kwargs: object) -> None:
            raise Missing("store", "It does not answer.")

        return away


def test_without_the_store_an_upload_is_unavailable_and_its_key_is_free(house, author):
    with TestClient(create_app(replace(house, blobs=AwayStore()))) as client:
        answer = post(client, author, key="later")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
    with TestClient(create_app(house)) as client:
        assert post(client, author, key="later").status_code == 202


def test_a_commit_whose_answer_is_lost_keeps_the_bubble_and_its_sound(client, author, house, monkeypatch, clock):
    record = accept._record

    def recorded_and_lost(session, *arguments):
        record(session, *arguments)
        session.commit()
        raise ConnectionError("the answer to COMMIT was lost")

    monkeypatch.setattr(accept, "_record", recorded_and_lost)
    assert post(client, author, key="lost").status_code == 500
    monkeypatch.undo()
    again = post(client, author, tone(), key="lost")
    assert again.status_code == 202
    clock.pass_s(discards.GRACE.total_seconds() + 1)
    discard(house.database, house.blobs, now=clock())
    assert any(again.json()["code"] in key for key in house.blobs.keys("recordings/"))


def test_a_crash_between_blob_and_row_leaves_nothing_for_long(client, author, house, monkeypatch, clock):
    def crash(*arguments):
        raise ConnectionError("the database went away")

    monkeypatch.setattr(accept, "_record", crash)
    assert post(client, author).status_code == 500
    assert len(list(house.blobs.keys("recordings/"))) == 1
    discard(house.database, house.blobs, now=clock())
    assert len(list(house.blobs.keys("recordings/"))) == 1
    clock.pass_s(discards.GRACE.total_seconds() + 1)
    discard(house.database, house.blobs, now=clock())
    assert list(house.blobs.keys("recordings/")) == []


def test_what_people_said_is_in_no_error_of_the_database(house):
    with pytest.raises(IntegrityError) as error, house.database.transaction() as session:
        session.add(Upload(account_id=-1, idempotency_key="my private words", started_at=house.now()))
        session.flush()
    assert "my private words" not in str(error.value)


def test_a_browser_led_here_by_another_site_publishes_nothing(client, world, house, clock):
    channel, _ = world.channel()
    with house.database.transaction() as session:
        account = accounts.require(session, channel.handle)
        link = sign_in.new_link(session, account, now=clock(), valid_for=timedelta(hours=1))
    assert client.post(f"/sign-in/{link}", follow_redirects=False).status_code == 303
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = post(client, headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert post(client, {"Sec-Fetch-Site": "same-origin"}).status_code == 202
