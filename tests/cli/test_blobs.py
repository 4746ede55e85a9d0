"""`bubbles blobs`: what is printed, what is refused, and how it ends."""

import os
import time
from collections import Counter
from pathlib import Path
from tempfile import mkdtemp

import pytest

from bubbles import chores, verify
from bubbles.app import House, store
from bubbles.blobs.moving import MovingStore
from bubbles.blobs.store import put_bytes
from bubbles.config import Settings
from bubbles.verify import Verified
from tests.cli.conftest import Run
from tests.keeping.conftest import kept, shelved


@pytest.fixture
def new_folder(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new store, which the environment names; the house's own is the former one."""
    monkeypatch.setenv("BUBBLES_BLOB_URL", (tmp_path / "new").as_uri())
    monkeypatch.setenv("BUBBLES_BLOB_URL_BEFORE", house.settings.blobs)
    return tmp_path / "new"


def test_moving_tells_what_it_did_and_what_comes_next(run: Run, house: House, new_folder: Path) -> None:
    keys = kept(house, shelved(house))
    ran = run("blobs", "move")
    assert ran.status == 0, ran.err
    assert f"2 blobs are in {new_folder.as_uri()}, 2 of them copied now." in ran.out
    assert "Take BUBBLES_BLOB_URL_BEFORE away" in ran.out
    assert all((new_folder / key).is_file() for key in keys)
    assert "0 of them copied now" in run("blobs", "move").out


def test_nothing_moves_while_one_store_is_named(run: Run) -> None:
    ran = run("blobs", "move")
    assert ran.status == 1
    assert "BUBBLES_BLOB_URL_BEFORE" in ran.err


def test_what_cannot_be_had_is_named_with_status_1(run: Run, house: House) -> None:
    assert run("blobs", "check").status == 0
    lost, spoiled = kept(house, shelved(house, handle="ana"))
    house.blobs.delete(lost)
    house.blobs.delete(spoiled)
    put_bytes(house.blobs, spoiled, b"other")
    ran = run("blobs", "check")
    assert ran.status == 1
    assert "1 are lost, 1 are spoiled" in ran.out
    assert lost in ran.err
    assert spoiled in ran.err


def test_what_a_check_that_is_killed_leaves_is_swept(run: Run, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    left = []

    def killed(*_: object, workdir: Path, **__: object) -> Verified:
        left.append(Path(mkdtemp(dir=workdir)) / "sound")
        left[0].write_bytes(b"sound")
        return Verified()

    monkeypatch.setattr(verify, "verify", killed)
    assert run("blobs", "check").status == 0
    a_week_ago_s = time.time() - 7 * 24 * 3600
    for path in (left[0], left[0].parent):
        os.utime(path, (a_week_ago_s, a_week_ago_s))
    chores.sweep(house, Counter())
    assert not left[0].exists()


def test_the_former_store_has_keys_of_its_own_or_those_of_the_present_one() -> None:
    both = {
        "blob_url": "s3://new?endpoint=http://127.0.0.1:1",
        "blob_url_before": "s3://old?endpoint=http://127.0.0.1:1",
        "s3_access_key_id": "new",
        "s3_secret_access_key": "secret",
    }
    for own, used in (({}, "new"), ({"s3_access_key_id_before": "old", "s3_secret_access_key_before": "s"}, "old")):
        found = store(Settings(**both, **own))
        assert isinstance(found, MovingStore)
        former = found.before._bucket
        assert (former.name, former.client._request_signer._credentials.access_key) == ("old", used)
        assert found.after._bucket.name == "new"


@pytest.mark.parametrize("way", ["redirect", "nginx"])
def test_while_sound_moves_the_application_sends_it(way: str) -> None:
    named = {"blob_url": "s3://new", "blob_url_before": "s3://old", "trusted_proxies": "127.0.0.1"}
    with pytest.raises(ValueError, match="must be app while"):
        Settings(**named, media_delivery=way)
