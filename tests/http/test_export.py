"""The archive holds everything of the person who asks, whatever is missing, and is never in memory as a whole."""

import csv
import gc
import io
import json
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any
from zipfile import ZipFile

import pytest
from starlette.testclient import TestClient

from bubbles import channels as channel_verbs
from bubbles import export
from bubbles.app import House
from bubbles.blobs.store import CHUNK_BYTES
from bubbles.db import bubbles, channels
from bubbles.errors import Missing
from bubbles.export import Entry
from bubbles.http import export as http_export
from bubbles.http.export import Exporting
from bubbles.model.account import Account
from bubbles.model.channel import Channel, Membership, Role
from tests.http.conftest import MONDAY_22
from tests.http.pages_fixtures import Stage
from tests.http.people import People

MIB = 1024 * 1024
OWN_FACTS = {"code", "channel", "licence", "duration_s", "recorded_at", "created_at", "consent_version"}


def channel_of(house: House, account: Account) -> Channel:
    """The account's own channel."""
    with house.database.transaction() as session:
        found = channels.by_handle(session, account.handle)
    assert found is not None
    return found


def opened(answer: Any) -> ZipFile:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    archive = ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    return archive


def test_the_archive_holds_all_that_an_author_has(people: People, world: Any, house: House) -> None:
    account = people.account()
    channel = channel_of(house, account)
    stage = Stage(house, world)
    bubble = stage.bubble(channel=channel, author_id=account.id, title="Été", licence="CC-BY-4.0")
    others = stage.bubble()
    browser = people.signed_in(account)
    answer = browser.post("/account/export")
    archive = opened(answer)
    assert answer.headers["cache-control"] == "no-store"
    assert f'filename="bubbles-{account.handle}-2026-11-23.zip"' in answer.headers["content-disposition"]
    folder = f"bubbles/2026-11-23-{bubble.code}"
    told = json.loads(archive.read(f"{folder}/bubble.json"))
    assert (told["title"], told["licence"], told["consent_version"]) == ("Été", "CC-BY-4.0", "none")
    for kind in ("m4a", "ogg"):
        assert archive.read(f"{folder}/sound.{kind}") == world.sounds[f"/media/{bubble.code}.{kind}"]
    assert archive.read(f"{folder}/transcript.vtt").startswith(b"WEBVTT")
    assert b"Fresh lemons" in archive.read(f"{folder}/transcript.txt")
    assert json.loads(archive.read(f"{folder}/transcript.json"))["cues"]
    figures = list(csv.DictReader(io.StringIO(archive.read(f"{folder}/statistics.csv").decode())))
    assert [row["audience"] for row in figures] == ["listeners", "team", "bots", "crowd"]
    kept = json.loads(archive.read("account.json"))
    assert (kept["handle"], kept["sessions"][0]["way"]) == (account.handle, "password")
    assert "EVERYTHING OF YOURS" in archive.read("README.txt").decode()
    assert "TOUT CE QUI EST À VOUS" in archive.read("README.txt").decode()
    assert not any(others.code in name for name in archive.namelist())
    assert "missing.txt" not in archive.namelist()


def test_no_secret_leaves_in_it(people: People) -> None:
    account = people.account()
    browser = people.signed_in(account)
    browser.post("/account/tokens", data={"name": "cron"})
    browser.post("/account/tokens", data={"name": "sums", "opens": "scopes", "scope_statistics": "yes", "days": "7"})
    kept = opened(browser.post("/account/export")).read("account.json").decode()
    assert [(each["name"], each["scopes"], each["expires_at"]) for each in json.loads(kept)["tokens"]] == [
        ("cron", None, None),
        ("sums", ["statistics"], "2026-11-30T22:00:00Z"),
    ]
    for word in ("hash", "secret", "argon2", browser.cookies["bubbles_session"]):
        assert word not in kept


def test_a_recording_that_is_kept_is_in_it(people: People, world: Any, house: House) -> None:
    account = people.account()
    made = world.bubble(channel_of(house, account), author_id=account.id, length_bytes=9)
    key = f"renditions/{made.code}.m4a"
    with house.database.transaction() as session:
        session.merge(made).recording_key = key
    archive = opened(people.signed_in(account).post("/account/export"))
    assert archive.read(f"bubbles/2026-11-23-{made.code}/recording-as-sent") == world.sounds[f"/media/{made.code}.m4a"]


def test_sound_that_is_gone_is_named_and_ends_nothing(people: People, world: Any, house: House) -> None:
    account = people.account()
    channel = channel_of(house, account)
    first, second = (world.bubble(channel, author_id=account.id, length_bytes=9) for _ in range(2))
    house.blobs.delete(f"renditions/{first.code}.ogg")
    archive = opened(people.signed_in(account).post("/account/export"))
    assert archive.read("missing.txt").decode() == f"bubbles/2026-11-23-{first.code}/sound.ogg: is gone\n"
    assert archive.read(f"bubbles/2026-11-23-{second.code}/sound.ogg") == world.sounds[f"/media/{second.code}.ogg"]


def test_a_store_that_is_away_is_told_in_it(house: House) -> None:
    class Away:
        def open_range(self, key: str, start: int, stop: int) -> Any:
            raise Missing("store", "Later.")

    entries = [Entry("sound.m4a", blob_key="x"), Entry("after.txt", "still here")]
    archive = ZipFile(io.BytesIO(b"".join(export.archive(entries, Away(), now=MONDAY_22))))  # type: ignore[arg-type]
    assert archive.read("after.txt") == b"still here"
    assert b"the store is away" in archive.read("missing.txt")


def test_statistics_and_what_its_team_is_told_stay_with_the_team(people: People, world: Any, house: House) -> None:
    account = people.account()
    brand, _ = world.channel()
    bubble = world.bubble(brand, author_id=account.id, length_bytes=9)
    browser = people.signed_in(account)
    folder = f"bubbles/2026-11-23-{bubble.code}"
    archive = opened(browser.post("/account/export"))
    assert set(json.loads(archive.read(f"{folder}/bubble.json"))) == OWN_FACTS
    assert f"{folder}/statistics.csv" not in archive.namelist()
    with house.database.transaction() as session:
        session.add(
            Membership(channel_id=brand.id, account_id=account.id, role=Role.AUTHOR, since=MONDAY_22)
        )  # fmt: skip
    archive = opened(browser.post("/account/export"))
    assert f"{folder}/statistics.csv" in archive.namelist()


def test_who_is_no_longer_in_the_team_gets_their_voice_and_not_what_the_team_wrote(
    people: People, world: Any, house: House
) -> None:
    account, (brand, _) = people.account(), world.channel()
    stage = Stage(house, world)
    heard, corrected = (stage.bubble(channel=brand, author_id=account.id, title="The team's") for _ in range(2))
    with house.database.transaction() as session:
        words = bubbles.transcript(session, corrected.id)
        assert words is not None
        words.corrected_at, words.corrected_by = MONDAY_22, channels.owner_id(session, brand.id)
    archive = opened(people.signed_in(account).post("/account/export"))
    folders = {bubble.code: f"bubbles/2026-11-23-{bubble.code}" for bubble in (heard, corrected)}
    for folder in folders.values():
        assert f"{folder}/sound.m4a" in archive.namelist()
        assert b"The team's" not in archive.read(f"{folder}/bubble.json")
    assert f"{folders[heard.code]}/transcript.vtt" in archive.namelist()
    assert f"{folders[corrected.code]}/transcript.vtt" not in archive.namelist()


@pytest.mark.parametrize(("visibility", "told"), [("private", False), ("public", True)])
def test_the_licence_that_the_team_chose_is_told_where_anybody_reads_it(
    people: People, world: Any, house: House, visibility: str, told: bool
) -> None:
    account, (brand, _) = people.account(), world.channel()
    chosen = Stage(house, world).bubble(
        channel=brand, author_id=account.id, licence="CC0-1.0", version=2, visibility=visibility
    )
    archive = opened(people.signed_in(account).post("/account/export"))
    assert ("CC0-1.0" in archive.read(f"bubbles/2026-11-23-{chosen.code}/bubble.json").decode()) == told


def test_whoever_is_taken_out_of_a_team_while_their_archive_is_made_gets_no_more_of_it(
    people: People, world: Any, house: House
) -> None:
    account, (brand, _) = people.account(), world.channel()
    with house.database.transaction() as session:
        channel_verbs.set_member(session, brand, account, Role.AUTHOR, now=MONDAY_22)
    made = [world.bubble(brand, author_id=account.id, length_bytes=9) for _ in range(export.PAGE + 1)]

    def describing(session: Any, whole: Any, *rest: Any, **more: Any) -> dict[str, str]:
        if whole.bubble.code == made[0].code:
            with house.database.transaction() as other:
                channel_verbs.remove_member(other, brand, account)
        return described(session, whole, *rest, **more)

    described = http_export._described
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http_export, "_described", describing)
        archive = opened(people.signed_in(account).post("/account/export"))
    last = json.loads(archive.read(f"bubbles/2026-11-23-{made[-1].code}/bubble.json"))
    assert "title" not in last


def test_a_stranger_a_token_and_another_site_get_none(client: TestClient, people: People, world: Any) -> None:
    assert client.post("/account/export").status_code == 401
    assert client.post("/account/export", headers=world.channel()[1]).status_code == 401
    browser = people.signed_in()
    assert browser.post("/account/export", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_an_account_has_one_archive_made_at_a_time(people: People, house: House) -> None:
    account = people.account()
    browser = people.signed_in(account)
    browser.app.state.exporting.begin(account.id)  # type: ignore[attr-defined]
    answer = browser.post("/account/export")
    assert answer.status_code == 429
    assert "retry-after" in answer.headers
    browser.app.state.exporting.end(account.id)  # type: ignore[attr-defined]
    for _ in range(2):
        opened(browser.post("/account/export"))


def test_of_two_who_ask_together_one_may() -> None:
    both = Barrier(2)

    class Meeting(int):
        """An account that is looked up by both at the same moment, unless they are kept apart."""

        def __hash__(self) -> int:
            with suppress(BrokenBarrierError):
                both.wait(0.2)
            return super().__hash__()

    exporting = Exporting()
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(exporting.begin, [Meeting(7), Meeting(7)])) == [False, True]


def test_three_hundred_bubbles_are_never_in_memory_together(people: People, world: Any, house: House) -> None:
    account = people.account()
    channel = channel_of(house, account)
    made = world.bubble(channel, author_id=account.id, length_bytes=MIB)
    entries = (Entry(f"{number}.m4a", blob_key=f"renditions/{made.code}.m4a") for number in range(300))
    gc.collect()
    tracemalloc.start()
    sizes = [len(part) for part in export.archive(entries, house.blobs, now=MONDAY_22)]
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(sizes) > 300 * MIB
    assert max(sizes) < 4 * CHUNK_BYTES
    assert peak_bytes < 4 * MIB


def test_pages_of_bubbles_follow_each_other_without_gap(people: People, world: Any, house: House) -> None:
    account = people.account()
    channel = channel_of(house, account)
    codes = [world.bubble(channel, author_id=account.id, length_bytes=9).code for _ in range(2 * export.PAGE + 1)]
    entries = export.of_account(house.database, account.id, lambda _, whole: {"code": whole.bubble.code})
    assert [entry.text for entry in entries if entry.blob_key is None] == codes
