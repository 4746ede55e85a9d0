"""Killed anywhere: what was there stays usable, and the same command goes on.

A child does the work and kills itself after its first durable step, the next one after its second, and so on until one
comes to the end.
"""

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from bubbles.app import House
from bubbles.archive import Archive
from bubbles.backup import back_up
from bubbles.blobs.disk import DiskStore
from bubbles.blobs.store import BlobStore
from bubbles.db.engine import Database
from bubbles.errors import Missing
from bubbles.restore import restore
from tests.keeping.conftest import BOTH, NewHouse, count, emptied, kept, row, shelved, until_gone, withdraw

POINTS_MAX = 200
DONE, FAILED = 0, 1


class Countdown:
    """Kills this process after so many durable steps."""

    def __init__(self, steps: int) -> None:
        self._left = steps
        self._lock = threading.Lock()

    def step(self, *_: object) -> None:
        with self._lock:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def after(self, function: Callable) -> Callable:
        def called(*arguments, **named):
            result = function(*arguments, **named)
            self.step()
            return result

        return called


def dies(house: House, work: Callable[[House], object], *, steps: int) -> bool:
    """Whether a child that does the work died of the `steps`-th durable step; it comes to its end otherwise."""
    pid = os.fork()
    if pid == 0:
        status = FAILED
        try:
            status = _child(house, work, steps)
        finally:
            os._exit(status)
    ended = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(ended) or os.WEXITSTATUS(ended) == DONE
    return os.WIFSIGNALED(ended)


def _child(house: House, work: Callable[[House], object], steps: int) -> int:
    countdown = Countdown(steps)
    database = Database(house.database.libpq_url)  # the parent's connections are the parent's
    event.listen(database._engine, "commit", countdown.step)  # said before the server is told
    for name in ("rename", "link", "unlink"):
        setattr(os, name, countdown.after(getattr(os, name)))
    subprocess.run = countdown.after(subprocess.run)
    if client := getattr(house.blobs, "_client", None):
        client.close()  # so are the store's
        for name in ("put_object", "delete_object"):
            setattr(client, name, countdown.after(getattr(client, name)))
    work(replace(house, database=database))
    return DONE


def test_a_backup_that_is_killed_anywhere_leaves_the_last_one_and_the_next_goes_on(
    house: House, new_house: NewHouse, tmp_path: Path
) -> None:
    before, gone = tmp_path / "before", shelved(house)
    back_up(house, before, keep=1)
    newest = shelved(house)
    withdraw(house, gone.code)
    points, died = 0, True
    while died:
        folder, points = tmp_path / f"backups-{points}", points + 1
        shutil.copytree(before, folder)
        assert points < POINTS_MAX
        died = dies(house, lambda child: back_up(child, folder, keep=1), steps=points)  # noqa: B023 - called at once
        assert whole(folder)
        back_up(house, folder, keep=1)
        assert len(whole(folder)) == len(list((folder / "sets").iterdir())) == 1
        assert set(DiskStore(folder / "blobs").keys("renditions/")) == set(kept(house, newest))
    print(f"killed at {points - 1} points")
    assert points > 10
    after = new_house(migrated=False)
    assert restore(after, folder).absent == []
    assert set(after.blobs.keys("renditions/")) == set(house.blobs.keys("renditions/"))


def whole(folder: Path) -> list[str]:
    """The names of all sets, each of which can be restored."""
    with Archive.held(folder) as archive:
        marked = {key.rpartition("/")[2] for key in archive.blobs.keys("erasures/")}
        for each in archive.sets():
            each.manifest()
            assert all(archive.holds(named) for named in each.named() if named.code not in marked)
        return [each.folder.name for each in archive.sets()]


@BOTH
def test_a_restore_that_is_killed_anywhere_ends_well_the_next_time(
    house: House, new_house: NewHouse, new_store: Callable[[], BlobStore], tmp_path: Path
) -> None:
    folder, stays, gone = tmp_path / "backups", shelved(house), shelved(house)
    name = back_up(house, folder, keep=7).name
    withdraw(house, gone.code)
    back_up(house, folder, keep=7)
    points, died, place = 0, True, new_house(migrated=False)
    while died:
        after, points = replace(place, database=emptied(place.database), blobs=new_store()), points + 1
        assert points < POINTS_MAX
        died = dies(after, lambda child: restore(child, folder, name=name), steps=points)
        if died and count(after, "pg_namespace WHERE nspname = 'bubbles_restoring'"):
            with pytest.raises(Missing, match="broken off"):
                after.database.migrate()
        if died and not is_open(after):
            until_gone(after)
            restore(after, folder, name=name)
        assert row(after, gone.code).withdrawn_at
        assert set(after.blobs.keys("renditions/")) == set(kept(after, stays))
        after.database.migrate()
    print(f"killed at {points - 1} points")
    assert points > 10


def is_open(house: House) -> bool:
    """Whether the killed child had come to the end of what counts."""
    tables = count(house, "pg_tables WHERE schemaname = 'public'")
    return bool(tables) and not count(house, "pg_namespace WHERE nspname = 'bubbles_restoring'")
