"""The folder of backups: whose it is, and what of it can be read."""

import json
from pathlib import Path

import pytest

from bubbles.app import House
from bubbles.archive import Archive
from bubbles.backup import back_up
from bubbles.blobs.store import put_bytes
from bubbles.errors import Code, Missing, Refused
from bubbles.restore import restore
from tests.keeping.conftest import NewHouse, set_names, shelved


def test_two_houses_never_share_a_folder(house: House, new_house: NewHouse, tmp_path: Path) -> None:
    """Each would drop the other's sets, and the sound that only they name."""
    shelved(house)
    made = back_up(house, tmp_path / "backups", keep=1)
    other = new_house()
    shelved(other)
    with pytest.raises(Refused, match="another service") as refused:
        back_up(other, tmp_path / "backups", keep=1)
    assert refused.value.code is Code.CONFLICT
    assert set_names(tmp_path / "backups") == [made.name]


def test_a_house_goes_on_with_its_folder_after_it_was_restored(
    house: House, new_house: NewHouse, tmp_path: Path
) -> None:
    shelved(house)
    back_up(house, tmp_path / "backups", keep=7)
    after = new_house(migrated=False)
    restore(after, tmp_path / "backups")
    assert back_up(after, tmp_path / "backups", keep=7).copied == 0


def test_an_empty_house_is_not_backed_up(new_house: NewHouse, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="BUBBLES_DATA_DIR"):
        back_up(new_house(), tmp_path / "backups", keep=7)
    assert not (tmp_path / "backups").exists()


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"format": 1}', b'{"format": 1, "x": 2}'])
def test_a_manifest_that_cannot_be_read_is_told(house: House, new_house: NewHouse, tmp_path: Path, content) -> None:
    shelved(house)
    back_up(house, tmp_path / "backups", keep=7)
    (path,) = (tmp_path / "backups").glob("sets/*/manifest.json")
    path.write_bytes(content)
    with pytest.raises(Refused, match="damaged") as refused:
        restore(new_house(migrated=False), tmp_path / "backups")
    assert refused.value.code is Code.CONFLICT


def test_a_set_that_cannot_be_read_stops_no_backup(house: House, tmp_path: Path) -> None:
    shelved(house)
    back_up(house, tmp_path / "backups", keep=7)
    (path,) = (tmp_path / "backups").glob("sets/*/manifest.json")
    path.write_bytes(b"")
    assert back_up(house, tmp_path / "backups", keep=7).copied == 0


def test_a_manifest_of_a_newer_release_says_so(house: House, new_house: NewHouse, tmp_path: Path) -> None:
    shelved(house)
    back_up(house, tmp_path / "backups", keep=7)
    (path,) = (tmp_path / "backups").glob("sets/*/manifest.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    with pytest.raises(Refused, match="newer release"):
        restore(new_house(migrated=False), tmp_path / "backups")


def test_a_list_that_cannot_be_read_loses_no_sound(house: House, tmp_path: Path) -> None:
    """What an older set needs is not known then, so nothing goes."""
    shelved(house)
    back_up(house, tmp_path / "backups", keep=7)
    (path,) = (tmp_path / "backups").glob("sets/*/blobs.jsonl")
    path.write_bytes(b'{"key": ')
    with pytest.raises(Refused, match="damaged"):
        back_up(house, tmp_path / "backups", keep=7)
    with Archive.held(tmp_path / "backups") as archive:
        assert len(list(archive.blobs.keys("renditions/"))) == 2


@pytest.mark.parametrize("content", [b"", b"[]", b'{"erased_at": "yesterday", "everywhere": false}'])
def test_a_mark_that_cannot_be_read_is_told(house: House, tmp_path: Path, content: bytes) -> None:
    shelved(house)
    put_bytes(house.blobs, "erasures/bubbles/someone", content)
    with pytest.raises(Missing, match="someone is damaged"):
        back_up(house, tmp_path / "backups", keep=7)
