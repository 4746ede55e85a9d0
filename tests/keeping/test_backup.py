"""Backups: new sound only, whole or not at all, and true to the moment whatever goes on meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bubbles.app import House
from bubbles.archive import Archive
from bubbles.backup import back_up
from bubbles.db import chores, dump
from bubbles.errors import Code, Missing, Refused
from bubbles.model.bubble import State
from bubbles.model.chore import Chore
from bubbles.model.step import StepName
from bubbles.restore import restore
from tests.keeping.conftest import (
    NewHouse,
    Stand,
    journey,
    kept,
    published,
    row,
    set_names,
    shelved,
    withdraw,
    work_off,
)


def test_the_second_backup_copies_only_what_is_new(house: House, tmp_path: Path) -> None:
    shelved(house)
    first = back_up(house, tmp_path / "backups", keep=7)
    shelved(house)
    second = back_up(house, tmp_path / "backups", keep=7)
    assert (first.copied, second.copied, second.manifest.blobs) == (2, 2, 4)
    assert set_names(tmp_path / "backups") == [second.name, first.name]


def test_the_folder_is_closed_to_others(house: House, tmp_path: Path) -> None:
    shelved(house)
    folder = tmp_path / "backups"
    folder.mkdir(mode=0o755)
    back_up(house, folder, keep=7)
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


# What goes on meanwhile


def meanwhile(monkeypatch: pytest.MonkeyPatch, does: Callable[[], None]) -> None:
    """Has something happen once the moment is taken, before the rest is copied."""
    really = dump.dump

    def dumped(*arguments) -> None:
        does()
        really(*arguments)

    monkeypatch.setattr(dump, "dump", dumped)


def test_what_is_withdrawn_meanwhile_is_no_error_and_stays_withdrawn(
    house: House, new_house: NewHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = shelved(house).code
    meanwhile(monkeypatch, lambda: withdraw(house, code))
    made = back_up(house, tmp_path / "backups", keep=7)
    assert (len(made.manifest.gone), made.manifest.lost) == (2, [])
    after = new_house(migrated=False)
    assert restore(after, tmp_path / "backups").absent == []
    assert row(after, code).state is State.WITHDRAWN
    assert list(after.blobs.keys("renditions/")) == []


def test_a_recording_that_is_dropped_meanwhile_is_heard_from_its_rendition(
    house: House, new_house: NewHouse, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bubble = published(house, sound, StepName.NORMALISE)
    meanwhile(monkeypatch, lambda: journey(house, bubble))
    assert len(back_up(house, tmp_path / "backups", keep=7).manifest.gone) == 1
    after = new_house(migrated=False)
    restore(after, tmp_path / "backups")
    assert row(after, bubble.code).state is State.PLAYABLE
    work_off(after)
    assert row(after, bubble.code).state is State.READY


class Quick(Stand):
    """A store before which a bubble goes through its whole journey, once, as its recording is to be copied."""

    rounds = 0

    def fetch(self, key: str, target: Path, **rest) -> None:
        self.rounds += 1
        if self.rounds == 1:
            self.does()
        self.store.fetch(key, target, **rest)


def test_the_only_copy_of_a_voice_is_never_missed(
    house: House, new_house: NewHouse, sound: Path, tmp_path: Path
) -> None:
    bubble = published(house, sound)
    quick = Quick(house.blobs, lambda: journey(house, bubble))
    made = back_up(replace(house, blobs=quick), tmp_path / "backups", keep=7)
    assert quick.rounds > 1
    assert (made.manifest.gone, made.manifest.lost) == ([], [])
    after = new_house(migrated=False)
    restore(after, tmp_path / "backups")
    assert row(after, bubble.code).state is State.READY


# What is not as it should be


def test_sound_that_is_lost_or_damaged_is_told_and_the_rest_kept(house: House, tmp_path: Path) -> None:
    lost, damaged, _ = (shelved(house) for _ in range(3))
    gone = kept(house, lost)[0]
    house.blobs.delete(gone)
    spoilt = kept(house, damaged)[0]
    house.blobs._root.joinpath(spoilt).write_bytes(b"x")
    made = back_up(house, tmp_path / "backups", keep=7)
    assert set(made.manifest.lost) == {gone, spoilt}
    assert made.copied == 4


def test_a_store_that_is_away_leaves_the_backups_as_they_are(house: House, tmp_path: Path) -> None:
    shelved(house)
    first = back_up(house, tmp_path / "backups", keep=1)
    shelved(house)

    def away() -> None:
        raise Missing("store", "away")

    class Away(Stand):
        def fetch(self, key: str, target: Path, **rest) -> None:
            self.does()

    with pytest.raises(Missing, match="away"):
        back_up(replace(house, blobs=Away(house.blobs, away)), tmp_path / "backups", keep=1)
    assert set_names(tmp_path / "backups") == [first.name]
    assert back_up(house, tmp_path / "backups", keep=1).copied == 2


def test_two_backups_at_once_are_refused(house: House, tmp_path: Path) -> None:
    with Archive.held(tmp_path / "backups", make=True), pytest.raises(Refused) as refused:
        back_up(house, tmp_path / "backups", keep=7)
    assert refused.value.code is Code.CONFLICT


def test_a_folder_that_holds_something_else_is_refused(house: House, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").touch()
    with pytest.raises(Refused, match="something else"):
        back_up(house, tmp_path / "letters", keep=7)
    assert not (tmp_path / "letters" / "sets").exists()


# What stays


def test_old_sets_go_and_with_them_what_no_other_needs(house: House, sound: Path, tmp_path: Path) -> None:
    bubble = published(house, sound)
    first = back_up(house, tmp_path / "backups", keep=2)
    recording = f"recordings/{bubble.code}/{bubble.recording_sha256}"
    journey(house, bubble)
    second = back_up(house, tmp_path / "backups", keep=2)
    with Archive.held(tmp_path / "backups") as archive:
        assert recording in archive.blobs.keys("recordings/")
    third = back_up(house, tmp_path / "backups", keep=2)
    assert set_names(tmp_path / "backups") == [third.name, second.name]
    assert first.name not in set_names(tmp_path / "backups")
    with Archive.held(tmp_path / "backups") as archive:
        assert list(archive.blobs.keys("recordings/")) == []
        assert len(list(archive.blobs.keys("renditions/"))) == 2


def test_the_newest_set_is_the_last_one_made_even_when_the_clock_goes_back(house: House, tmp_path: Path) -> None:
    back_up(house, tmp_path / "backups", keep=1)
    earlier = house.now() - timedelta(days=1)
    made = back_up(replace(house, now=lambda: earlier), tmp_path / "backups", keep=1)
    assert set_names(tmp_path / "backups") == [made.name]
    assert made.manifest.made_at == earlier.isoformat()


def test_the_sound_of_what_was_withdrawn_leaves_all_sets(house: House, tmp_path: Path) -> None:
    gone, stays = shelved(house), shelved(house)
    back_up(house, tmp_path / "backups", keep=7)
    withdraw(house, gone.code)
    assert back_up(house, tmp_path / "backups", keep=7).erased == 2
    with Archive.held(tmp_path / "backups") as archive:
        assert {each.key for kept in archive.sets()[:1] for each in kept.named()} == set(
            archive.blobs.keys("renditions/")
        )
        assert set(archive.blobs.keys("erasures/")) == {f"erasures/bubbles/{gone.code}"}
    assert all(stays.code in key for key in kept(house, stays))


def test_without_blobs_the_list_alone_is_kept(house: House, tmp_path: Path) -> None:
    shelved(house)
    made = back_up(house, tmp_path / "backups", keep=7, with_blobs=False)
    assert (made.manifest.holds_blobs, made.manifest.blobs, made.copied) == (False, 2, 0)
    with Archive.held(tmp_path / "backups") as archive:
        assert len(list(archive.choose("").named())) == 2
        assert list(archive.blobs.keys("")) == []


def test_how_it_went_is_written_down_for_the_metrics(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelved(house)
    back_up(house, tmp_path / "backups", keep=7)
    assert (chore(house).latest, chore(house).failed_at) == ({"blobs": 2, "lost": 0, "erased": 0}, None)
    monkeypatch.setattr(dump, "OPTIONS", ("--nonsense",))
    with pytest.raises(Missing):
        back_up(house, tmp_path / "backups", keep=7)
    assert chore(house).failed_at is not None


def chore(house: House) -> Chore:
    with house.database.transaction() as session:
        return next(each for each in chores.latest(session) if each.name == "backup")
