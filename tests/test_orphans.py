"""Blobs that no row names: which are some, and when none of them is touched."""

import hashlib
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from bubbles import accounts, ids, orphans, upkeep
from bubbles.app import House
from bubbles.blobs.address import open_store
from bubbles.chores import sweep_orphans
from bubbles.config import Settings
from bubbles.db import discards
from bubbles.model.bubble import Bubble
from bubbles.model.discard import Discard
from bubbles.model.erasure import of_bubble
from bubbles.model.rendition import Rendition
from bubbles.model.times import utc_now
from tests.blobs.seaweed import seaweed

NOW = utc_now()
DAY = timedelta(days=1)
NAMED = 30
"""Blobs that rows name; three orphans beside them are no sign that rows are lost."""


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    with seaweed(tmp_path_factory.mktemp("weed")) as server:
        yield server


@pytest.fixture(params=["disk", "s3"])
def house(request, database, tmp_path) -> House:
    """A house of fifteen bubbles; its clock is eight days ahead of that of the store."""
    store = open_store((tmp_path / "blobs").as_uri())
    if request.param == "s3":
        server = request.getfixturevalue("bucket")
        keys = {"access_key_id": server.access_key, "secret_access_key": server.secret_key}
        store = open_store(server.url(tmp_path.name), **keys)
    with database.transaction() as session:
        discards.done(session, list(session.exec(select(Discard.blob_key))))
    house = House(Settings(data_dir=tmp_path), database, store, None, now=lambda: utc_now() + 8 * DAY)
    for _ in range(NAMED // 2):
        bubble(house)
    return house


def put(house: House, key: str) -> str:
    source = Path(house.settings.data_dir, "source")
    source.write_bytes(b"sound")
    house.blobs.put(key, source, sha256=hashlib.sha256(b"sound").hexdigest(), content_type="audio/ogg")
    return key


def bubble(house: House) -> None:
    """A bubble with a recording and a rendition."""
    code = ids.new_code()
    recording, rendition = put(house, f"recordings/{code}/sound"), put(house, f"renditions/{code}/sound.ogg")
    with house.database.transaction() as session:
        account = accounts.create(session, f"z{code.lower().replace('_', 'a').replace('-', 'b')}", now=NOW)
        times = {"recorded_at": NOW, "created_at": NOW}
        made = Bubble(
            code=code, channel_id=account.id, author_id=account.id, duration_s=1.0,
            recording_key=recording, recording_sha256="0", recording_bytes=5, **times,
        )  # fmt: skip
        session.add(made)
        session.flush()
        sizes = {"length_bytes": 5, "minute_bytes": 5, "sha256": "0"}
        session.add(Rendition(bubble_id=made.id, kind="ogg", blob_key=rendition, created_at=NOW, **sizes))


def swept(house: House, **options: bool) -> set[str]:
    """The keys that a sweep, and the deletions that come of it, take away."""
    before = set(house.blobs.keys(""))
    sweep_orphans(house, Counter(), **options)
    upkeep.discard(house.database, house.blobs, now=house.now())
    return before - set(house.blobs.keys(""))


def test_what_no_row_names_goes_and_nothing_else(house):
    left = {put(house, "recordings/AAAAAAAAAAAAAAAA/sound"), put(house, "probe/left")}
    code = next(house.blobs.keys("renditions/")).split("/")[1]
    left.add(put(house, f"renditions/{code}/of-an-attempt-that-died.ogg"))
    for spared in (of_bubble(code), "somebody-elses/blob"):
        put(house, spared)
    assert swept(house) == left
    assert swept(house) == set()


def test_what_waits_for_its_row_is_no_orphan(house):
    with house.database.transaction() as session:
        discards.doom(session, ["recordings/BBBBBBBBBBBBBBBB/sound"], house.now())
    put(house, "recordings/BBBBBBBBBBBBBBBB/sound")
    assert swept(house) == set()
    with house.database.transaction() as session:
        discards.keep(session, ["recordings/BBBBBBBBBBBBBBBB/sound"])


@pytest.mark.parametrize("days", [1, 7])
def test_none_goes_before_its_days_are_over(house, days):
    put(house, "recordings/AAAAAAAAAAAAAAAA/sound")
    for age, doomed in ((days * DAY - timedelta(hours=1), 0), (days * DAY + timedelta(hours=1), 1)):
        now = utc_now() + age
        assert orphans.sweep(house.database, house.blobs, now=now, age=days * DAY).doomed == doomed


def test_never_one_younger_than_a_day(monkeypatch):
    monkeypatch.setenv("BUBBLES_ORPHAN_DAYS", "0")
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Settings()


def test_many_are_left_alone_and_told_until_somebody_says_so(house):
    left = {put(house, f"renditions/AAAAAAAAAAAAAAAA/{number}.ogg") for number in range(4)}
    with capture_logs() as said:
        assert swept(house) == set()
    assert [(each["event"], each["log_level"]) for each in said] == [("orphans_kept", "error")]
    sweep_orphans(house, counts := Counter())
    assert counts["orphans_kept"] == len(left)
    assert swept(house, however_many=True) == left


def test_before_an_empty_database_nothing_goes(house, tmp_path):
    (tmp_path / "other").mkdir()
    alone = open_store((tmp_path / "other" / "blobs").as_uri())
    emptied = House(house.settings, house.database, alone, None, now=house.now)
    put(emptied, "recordings/AAAAAAAAAAAAAAAA/sound")
    assert swept(emptied) == set()


def test_what_a_probe_left_is_nobodys_sound_and_goes_from_the_emptiest_store(house, tmp_path):
    (tmp_path / "other").mkdir()
    alone = open_store((tmp_path / "other" / "blobs").as_uri())
    emptied = House(house.settings, house.database, alone, None, now=house.now)
    put(emptied, "recordings/AAAAAAAAAAAAAAAA/sound")
    left = put(emptied, "probe/left")
    assert swept(emptied) == {left}
