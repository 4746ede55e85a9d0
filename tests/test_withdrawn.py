"""What is withdrawn lets go of the voice and of how it came: nothing in any row tells of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, SQLModel, select

from bubbles import accept, accounts, chores, ids, moderation, policy, upkeep
from bubbles.accept import Received, UploadLimits
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.config import Settings
from bubbles.db import channels, withdrawn
from bubbles.db.engine import Database
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble, State
from bubbles.model.draft import Draft
from bubbles.model.place import PlaceRole, Precision, snap
from bubbles.model.step import Step, StepName
from bubbles.model.upload import Upload
from bubbles.model.withdrawn import COARSENED, EMPTIED, KEPT

NOON = datetime(2026, 11, 22, 12, 34, 56, 789, tzinfo=UTC)
DAY = datetime(2026, 11, 22, tzinfo=UTC)
COLUMNS = [column.name for column in SQLModel.metadata.tables["bubble"].columns]
SOUND = Received(Path("unread"), 9, "5" * 64)
DRAFT = Draft(title="Secret", language="fr")


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    blobs = open_store((tmp_path / "blobs").as_uri())
    return House(Settings(data_dir=tmp_path), database, blobs, transcriber=None, now=lambda: NOON)  # type: ignore[arg-type]


@pytest.fixture
def account(house: House) -> Account:
    with house.database.transaction() as session:
        return accounts.create(session, f"a{ids.new_code().lower().strip('-_')}", now=NOON)


@pytest.fixture
def full(house: House, account: Account) -> Iterator[Bubble]:
    """A bubble all of whose columns hold something, with its upload and its steps."""
    moments = {name: NOON for name in COLUMNS if name.endswith("_at") and name != "withdrawn_at"}
    words = {name: "a word" for name in COLUMNS if name.endswith(("_by", "_reason")) and "withdrawn" not in name}
    with house.database.transaction() as session:
        channel = channels.by_handle(session, account.handle)
        assert channel
        made = Bubble(
            code=ids.new_code(), channel_id=channel.id, author_id=account.id, title="Secret", tags=["secret"],
            language="fr", duration_s=12.345, peaks=b"1", recording_key=f"recordings/x/{ids.new_code()}",
            recording_sha256="5" * 64, recording_bytes=9, keep_recording=True, **moments, **words,
        )  # fmt: skip
        made.place = snap(48.2, 16.4, Precision.STREET, PlaceRole.RECORDED)
        session.add(made)
        session.flush()
        mark = accept.fingerprint(DRAFT, SOUND)
        session.add(
            Upload(
                account_id=account.id,
                idempotency_key="key",
                fingerprint=mark,
                bubble_id=made.id,
                outcome="accepted",
                started_at=NOON,
                ended_at=NOON,
            )
        )
        for name in StepName:
            session.add(
                Step(bubble_id=made.id, name=name, queued_at=NOON, turn_at=NOON, started_at=NOON, finished_at=NOON)
            )
    yield made
    with house.database.transaction() as session:
        session.connection().execute(text("DELETE FROM step WHERE bubble_id = :id"), {"id": made.id})


def withdraw(house: House, bubble: Bubble) -> None:
    with house.database.transaction() as session:
        moderation.withdraw(session, session.get_one(Bubble, bubble.id), by="me", reason="mine", now=NOON)


def row(house: House, table: str, bubble: Bubble) -> list[dict[str, Any]]:
    key = "id" if table == "bubble" else "bubble_id"
    with house.database.transaction() as session:
        found = session.connection().execute(text(f"SELECT * FROM {table} WHERE {key} = :id"), {"id": bubble.id})  # noqa: S608
        return [dict(each) for each in found.mappings()]


@pytest.mark.parametrize("column", COLUMNS)
def test_every_column_of_a_bubble_is_emptied_or_kept_for_a_reason(column: str) -> None:
    assert [column in EMPTIED, column in COARSENED, column in KEPT].count(True) == 1
    assert column in EMPTIED or (COARSENED | KEPT)[column]


def test_what_is_emptied_is_empty_and_what_is_kept_is_as_it_was(house: House, full: Bubble) -> None:
    (before,) = row(house, "bubble", full)
    lacking = [name for name in EMPTIED if before[name] in (None, "", [], 0, False)]
    assert not lacking, "the test's bubble has nothing to lose there"
    withdraw(house, full)
    (after,) = row(house, "bubble", full)
    assert {name: after[name] for name in EMPTIED} == dict(EMPTIED)
    assert {after[name] for name in COARSENED} == {DAY}
    changed = {name for name in KEPT if after[name] != before[name]}
    assert changed == {"version", "withdrawn_at", "withdrawn_by", "withdrawn_reason"}


GONE = {"rendition", "transcript", "search_document", "search_word", "step"}
STAYS = {
    "upload": "its key, so that it is used once; without the digest, and for 30 days",
    "served": "what was heard, of whom nothing is known",
    "play": "as served",
    "network_day": "how many came, of whom nothing is known; it goes with the day's key",
    "crowd": "as served",
    "opening": "what its statistics showed",
}
NAMING = sorted(
    table.name
    for table in SQLModel.metadata.tables.values()
    if any(key.target_fullname == "bubble.id" for column in table.columns for key in column.foreign_keys)
)


@pytest.mark.parametrize("table", NAMING)
def test_every_table_that_names_a_bubble_lets_go_or_says_why_not(house: House, full: Bubble, table: str) -> None:
    assert (table in GONE) != (table in STAYS)
    withdraw(house, full)
    assert table in STAYS or row(house, table, full) == []


def test_the_digest_of_an_upload_goes_and_its_key_stays(house: House, full: Bubble) -> None:
    withdraw(house, full)
    (upload,) = row(house, "upload", full)
    assert (upload["fingerprint"], upload["idempotency_key"]) == (None, "key")


def again(house: House, account: Account, received: Received = SOUND) -> Bubble:
    """Sends the upload once more, under the same key."""
    person = policy.Person(account.id, account.handle)
    later = NOON + timedelta(days=20)
    with house.database.transaction() as session:
        ticket = accept.open_upload(session, person, idempotency_key="key", limits=UploadLimits(), now=later)
    return accept.accept(
        house.database, house.blobs, person=person, ticket=ticket, draft=DRAFT, received=received,
        limits=house.probe_limits, silence_dbfs=-60, now=later,
    )  # fmt: skip


def test_what_was_withdrawn_is_not_published_by_sending_it_again(house: House, account: Account, full: Bubble) -> None:
    assert again(house, account).id == full.id
    with pytest.raises(Refused) as refused:
        again(house, account, Received(Path("unread"), 9, "6" * 64))
    assert refused.value.code is Code.IDEMPOTENCY_MISMATCH
    withdraw(house, full)
    for received in (SOUND, Received(Path("unread"), 9, "6" * 64)):
        repeated = again(house, account, received)
        assert (repeated.id, repeated.state) == (full.id, State.WITHDRAWN)
    with house.database.transaction() as session:
        assert len(session.exec(select(Bubble).where(Bubble.author_id == account.id)).all()) == 1


def as_the_release_before_withdrew(session: Session, bubble: Bubble) -> None:
    """What `moderation.withdraw` did there: the row keeps digest, time and language, and says when it was playable."""
    session.connection().execute(
        text(
            "UPDATE bubble SET withdrawn_at = :now, withdrawn_by = 'me', withdrawn_reason = '',"
            " title = '', tags = '{}', peaks = NULL, recording_key = NULL,"
            " latitude = NULL, longitude = NULL, radius_m = NULL, precision = NULL, place_role = NULL WHERE id = :id"
        ),
        {"id": bubble.id, "now": NOON},
    )


def test_what_was_withdrawn_before_is_emptied_by_itself_a_few_at_a_time(
    house: House, full: Bubble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "WITHDRAWN_AT_ONCE", 2)
    ids_of = [full.id]
    with house.database.transaction() as session:
        for _ in range(4):
            copied = {
                name: getattr(full, name) for name in COLUMNS if name not in {"id", "code", "listed", "recording_key"}
            }
            other = Bubble(code=ids.new_code(), **copied)
            session.add(other)
            session.flush()
            ids_of.append(other.id)
            as_the_release_before_withdrew(session, other)
        as_the_release_before_withdrew(session, session.get_one(Bubble, full.id))
    with chores.told(house, "forget") as counts:
        chores._forget(house, counts)
    assert counts["emptied"] >= len(ids_of)
    with house.database.transaction() as session:
        assert not {each.id for each in withdrawn.not_emptied(session, after=0, limit=1000)} & {*ids_of}
        for each in ids_of:
            assert session.get_one(Bubble, each).recording_sha256 == ""
    assert row(house, "step", full) == []
    assert row(house, "upload", full)[0]["fingerprint"] is None
    assert upkeep.empty_withdrawn(house.database) == 0


def test_a_bubble_that_stands_is_left_alone(house: House, full: Bubble) -> None:
    before = row(house, "bubble", full)
    upkeep.empty_withdrawn(house.database)
    assert row(house, "bubble", full) == before
