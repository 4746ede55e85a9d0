"""Backups of a store that has lost sound, or spoils it: nothing half is kept in the place of what is whole."""

from dataclasses import replace
from pathlib import Path

import pytest

from bubbles.app import House
from bubbles.archive import Archive
from bubbles.backup import back_up
from bubbles.blobs.store import Spoiled, put_bytes
from bubbles.errors import Missing
from tests.keeping.conftest import Stand, journey, kept, published, shelved


def names(folder: Path) -> list[str]:
    with Archive.held(folder) as archive:
        return [each.folder.name for each in archive.sets()]


class Garbling(Stand):
    """A store that gives other bytes for whatever is asked of it."""

    def fetch(self, key: str, target: Path, **rest) -> None:
        self.store.fetch(key, target, **rest)
        target.unlink()
        raise Spoiled(key)


def test_a_store_that_spoils_whatever_it_is_given_makes_no_backup(house: House, tmp_path: Path) -> None:
    shelved(house)
    first = back_up(house, tmp_path / "backups", keep=1)
    shelved(house)
    garbling = Garbling(house.blobs, lambda: None)
    with pytest.raises(Missing, match="other bytes for probe/"):
        back_up(replace(house, blobs=garbling), tmp_path / "backups", keep=1)
    assert names(tmp_path / "backups") == [first.name]
    assert list(house.blobs.keys("probe/")) == []


def test_the_newest_set_that_lacks_nothing_stays_however_old(house: House, sound: Path, tmp_path: Path) -> None:
    """The recording in it may be the last that is left of a voice."""
    bubble = published(house, sound)
    first = back_up(house, tmp_path / "backups", keep=1)
    journey(house, bubble)
    made = {key: b"".join(house.blobs.open_range(key, 0, house.blobs.size(key))) for key in kept(house, bubble)}
    for key in made:
        house.blobs.delete(key)
    second, third = (back_up(house, tmp_path / "backups", keep=1) for _ in range(2))
    assert len(second.manifest.lost) == 2
    assert names(tmp_path / "backups") == [third.name, first.name]
    with Archive.held(tmp_path / "backups") as archive:
        assert list(archive.blobs.keys("recordings/")) == [f"recordings/{bubble.code}/{bubble.recording_sha256}"]
    for key, content in made.items():
        put_bytes(house.blobs, key, content)
    last = back_up(house, tmp_path / "backups", keep=1)
    assert names(tmp_path / "backups") == [last.name]
