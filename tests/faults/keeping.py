"""What is done with a house as a whole while it may die: its sound moves, it is backed up, it is brought back."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bubbles import chores, erasures, upkeep
from bubbles.archive import Archive, digest
from bubbles.backup import back_up
from bubbles.blobs.disk import DiskStore
from bubbles.blobs.moving import MovingStore
from bubbles.blobs.store import BlobStore
from bubbles.errors import Missing
from bubbles.move import Moved, move
from bubbles.restore import restore
from tests.faults.lives import Life, send
from tests.keeping.conftest import count, emptied, until_gone

LOST_EVERY = 5
"""A house that is lost and comes back costs as much as all else that is tried at a point."""


def withdraw(life: Life, title: str) -> None:
    """One goes, its sound at once, and leaves its mark."""
    send(life, "withdrawn", title, "DELETE", "")
    upkeep.discard(life.house.database, life.house.blobs, now=life.clock())
    erasures.mark(life.house.database, life.house.blobs, now=life.clock())


# Moving


@contextmanager
def kept_in(life: Life, blobs: BlobStore) -> Iterator[None]:
    """The house keeps its sound elsewhere meanwhile."""
    house = life.house
    life.house = replace(house, blobs=blobs)
    yield
    life.house = house


def former(life: Life) -> DiskStore:
    """The store that is moved from, to the house's own."""
    return DiskStore(life.ground.folder / "former")


def settle_elsewhere(life: Life) -> None:
    """Two recordings lie in the former store, and the mark of a third that was withdrawn."""
    with kept_in(life, former(life)):
        for title in ("one", "two", "three"):
            life.post(title)
        withdraw(life, "three")


def move_sound(life: Life) -> Moved:
    """All sound moves, or the command says that it does not: the former store has all of it."""
    stores, notes = MovingStore(life.house.blobs, former(life)), life.house.settings.data_dir / "moving"
    workdir = chores.workdir(life.house)
    moved = move(life.house.database, stores, notes=notes, workdir=workdir, on_progress=lambda *_: None)
    assert (moved.lost, moved.spoiled) == ([], [])
    return moved


def end_the_move(life: Life) -> None:
    """One goes before the move goes on; after it the new store alone has all, and neither has what went."""
    with kept_in(life, MovingStore(life.house.blobs, former(life))):
        withdraw(life, "two")
    assert move_sound(life).blobs >= 1
    assert not list((life.house.settings.data_dir / "moving").iterdir())
    assert erasures.keys(former(life)) <= erasures.keys(life.house.blobs)
    assert {key.split("/")[1] for key in former(life).keys("recordings/")} <= {life.code("one")}


# Backing up


def backups(life: Life) -> Path:
    """The folder of the backups."""
    return life.ground.folder / "backups"


def backed_up(life: Life) -> None:
    """There is a backup; since then one bubble has gone, and another has come."""
    life.post("one")
    life.work()
    make_backup(life)
    withdraw(life, "one")
    life.post("two")


def make_backup(life: Life) -> None:
    """The newest backup takes the place of the one before, once it has all of it."""
    assert back_up(life.house, backups(life), keep=1).manifest.lost == []


def back_up_again(life: Life) -> None:
    """A whole backup is there, the next one goes on."""
    assert whole_sets(backups(life)) >= 1
    make_backup(life)
    assert whole_sets(backups(life)) == len(list((backups(life) / "sets").iterdir())) == 1
    held = {key.split("/")[1] for key in DiskStore(backups(life) / "blobs").keys("re")}
    assert held == {life.code("two")}


def come_back(life: Life) -> None:
    """Now and then the house is lost too, and comes back from its backup."""
    if len(life.ground.notes.read_text().splitlines()) % LOST_EVERY == 1:
        lose(life)
        restore(life.house, backups(life))


def whole_sets(folder: Path) -> int:
    """How many sets there are; each can be restored: its files and its sound are what they are said to be."""
    with Archive.held(folder) as archive:
        erased = {key.rpartition("/")[2] for key in erasures.keys(archive.blobs)}
        for each in archive.sets():
            each.manifest()
            assert all(
                digest(archive.path(named)) == named.sha256 for named in each.named() if named.code not in erased
            )
        return len(archive.sets())


# Restoring


def lose(life: Life) -> None:
    """The house stands empty: no table, no blob."""
    until_gone(life.house)
    emptied(life.house.database)
    life.house.database.close()  # connections remember statements about tables that are gone
    for key in life.house.blobs.keys(""):
        life.house.blobs.delete(key)


def lost(life: Life) -> None:
    """All is lost but the backups, which are made once for everybody."""
    ledger = kept(life) / "ledger"
    if ledger.exists():
        life.ground.ledger.write_bytes(ledger.read_bytes())
    else:
        life.post("one")
        life.post("two")
        back_up(life.house, kept(life) / "backups", keep=2)
        withdraw(life, "two")
        back_up(life.house, kept(life) / "backups", keep=2)
        shutil.copyfile(life.ground.ledger, ledger)
    lose(life)


def kept(life: Life) -> Path:
    """What outlasts all houses."""
    return life.ground.folder.parent / "kept"


def bring_back(life: Life) -> None:
    """The older backup is restored: what was withdrawn after it stays so."""
    folder = kept(life) / "backups"
    assert restore(life.house, folder, name=min(path.name for path in (folder / "sets").iterdir())).absent == []


def go_on_bringing_back(life: Life) -> None:
    """A house that was broken off half-way lets nobody in, and the same command goes on."""
    if is_broken_off(life):
        with pytest.raises(Missing, match="broken off"):
            life.house.database.migrate()
    until_gone(life.house)
    if is_broken_off(life) or not count(life.house, "pg_tables WHERE schemaname = 'public'"):
        bring_back(life)
    life.house.database.migrate()


def is_broken_off(life: Life) -> bool:
    return count(life.house, "pg_namespace WHERE nspname = 'bubbles_restoring'") > 0
