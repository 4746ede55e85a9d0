"""Sound moves to another store while the house serves: verified, broken off anywhere, and nothing comes back."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bubbles import chores, erasures
from bubbles.app import House
from bubbles.blobs.moving import MovingStore
from bubbles.blobs.store import BlobStore, put_bytes
from bubbles.db import named
from bubbles.errors import Missing, Refused
from bubbles.move import Moved, move
from bubbles.verify import verify
from tests.keeping.conftest import ALL, published, shelved, withdraw

OPTIONS: dict[str, Any] = {"on_progress": lambda *_: None}
NewStore = Callable[[], BlobStore]


class Killed(BaseException):
    """What a kill looks like from inside."""


class Watched:
    """A store that does something before or after an operation on a blob, once."""

    def __init__(self, store: BlobStore, operation: str, does: Callable[[str], None], *, after: bool) -> None:
        self._store, self._operation, self._does, self._after = store, operation, does, after

    def __getattr__(self, name: str) -> Any:
        run = getattr(self._store, name)
        if name != self._operation:
            return run

        def watched(key: str, *arguments: Any, **named: Any) -> Any:
            does, self._does = self._does, lambda _: None
            if key.startswith("probe/"):
                self._does = does
                return run(key, *arguments, **named)
            if not self._after:
                does(key)
            answer = run(key, *arguments, **named)
            if self._after:
                does(key)
            return answer

        return watched


def moving(house: House, after: BlobStore, *, before: BlobStore | None = None) -> House:
    """The house while its sound moves to `after`."""
    return replace(house, blobs=MovingStore(after, before or house.blobs))


def run(house: House, **rest: Any) -> Moved:
    notes = house.settings.data_dir / "moving"
    return move(house.database, house.blobs, notes=notes, workdir=chores.workdir(house), **OPTIONS | rest)


def intact(house: House, store: BlobStore) -> bool:
    """Whether a store by itself has every blob that a row names."""
    found = verify(house.database, store, workdir=house.settings.data_dir, on_progress=lambda *_: None)
    return found.blobs > 0 and not found.lost and not found.spoiled


def keys_of(house: House, code: str) -> list[str]:
    with house.database.transaction() as session:
        return [each.key for each in named.blobs(session) if each.code == code]


@pytest.mark.parametrize("new_store", ["disk", "bucket"], indirect=True)
def test_all_sound_moves_while_the_house_serves(house: House, new_store: NewStore, sound: Path, tmp_path: Path) -> None:
    bubbles = [shelved(house) for _ in range(3)]
    waiting = published(house, sound)
    withdraw(house, bubbles[0].code)
    erasures.mark(house.database, house.blobs, now=house.now())
    after = new_store()
    both = moving(house, after)
    seen: list[tuple[int, int]] = []
    fresh: list[str] = []

    def serve(done: int, total: int) -> None:
        seen.append((done, total))
        if not fresh:
            fresh.append(published(both, sound, *ALL).code)
            both.blobs.fetch(waiting.recording_key, tmp_path / "copy", sha256=waiting.recording_sha256)

    moved = run(both, on_progress=serve)
    assert (moved.blobs, moved.copied, moved.lost, moved.spoiled) == (7, 6, [], [])
    assert intact(house, after)
    assert erasures.keys(after) == erasures.keys(house.blobs) != set()
    assert set(keys_of(house, fresh[0])) <= set(after.keys("renditions/"))
    assert not set(keys_of(house, fresh[0])) & set(house.blobs.keys(""))
    assert (5, 5) in seen
    assert run(both).copied == 0
    assert not list((house.settings.data_dir / "moving").iterdir())


DEATHS = [
    ("before", "fetch", False),
    ("before", "fetch", True),
    ("after", "put", False),
    ("after", "put", True),
    ("after", "open_range", False),
    ("after", "open_range", True),
    ("after", "size", False),
]


@pytest.mark.parametrize(("whose", "operation", "late"), DEATHS)
def test_a_move_that_died_goes_on_and_what_was_withdrawn_meanwhile_stays_away(
    house: House, new_store: NewStore, whose: str, operation: str, late: bool
) -> None:
    for _ in range(3):
        shelved(house)
    after, before = new_store(), house.blobs
    under_way: list[str] = []

    def die(key: str) -> None:
        under_way.append(key)
        raise Killed

    dying = Watched(before if whose == "before" else after, operation, die, after=late)
    with pytest.raises(Killed):
        run(moving(house, after, before=dying) if whose == "before" else moving(house, dying))
    code = named.code_of(under_way[0])
    gone = keys_of(house, code)
    both = moving(house, after)
    withdraw(both, code)
    if operation == "put":  # a request may arrive after its sender has died, and after the blob was deleted
        put_bytes(after, under_way[0], b"late")
    moved = run(both)
    assert (moved.lost, moved.spoiled) == ([], [])
    assert intact(house, after)
    assert not set(gone) & {*after.keys(""), *before.keys("")}


def test_what_is_withdrawn_while_it_is_copied_stays_away(house: House, new_store: NewStore) -> None:
    shelved(house)
    after = new_store()
    gone: list[str] = []

    def take_away(key: str) -> None:
        code = named.code_of(key)
        gone.extend(keys_of(house, code))
        withdraw(both, code)
        assert key not in set(after.keys(""))

    both = moving(house, after)
    moved = run(moving(house, Watched(after, "put", take_away, after=False)))
    assert (moved.lost, moved.spoiled) == ([], [])
    assert gone
    assert not set(gone) & {*after.keys(""), *house.blobs.keys("")}


def test_what_is_lost_or_spoiled_is_named_and_the_rest_moves(house: House, new_store: NewStore) -> None:
    lost, spoiled, well = (keys_of(house, shelved(house).code)[0] for _ in range(3))
    house.blobs.delete(lost)
    house.blobs.delete(spoiled)
    put_bytes(house.blobs, spoiled, b"other")
    after = new_store()
    moved = run(moving(house, after))
    assert (moved.lost, moved.spoiled) == ([lost], [spoiled])
    assert spoiled not in set(after.keys(""))
    assert well in set(after.keys(""))
    found = verify(house.database, house.blobs, workdir=house.settings.data_dir, on_progress=lambda *_: None)
    assert (found.blobs, found.lost, found.spoiled) == (6, [lost], [spoiled])


def reverse(store: BlobStore, key: str) -> None:
    content = b"".join(store.open_range(key, 0, store.size(key)))
    store.delete(key)
    put_bytes(store, key, content[::-1])


def test_a_copy_that_was_not_read_back_is_read_by_the_move_that_goes_on(house: House, new_store: NewStore) -> None:
    shelved(house)
    after = new_store()

    def crash(key: str) -> None:
        reverse(after, key)
        raise Missing("store", "The store is away.")

    with pytest.raises(Missing, match="away"):
        run(moving(house, Watched(after, "open_range", crash, after=False)))
    left = [path for path in house.settings.data_dir.rglob("*~*") if path.is_file()]
    assert {path.stat().st_size for path in left} == {0}  # it may be withdrawn before the move goes on
    moved = run(moving(house, after))
    assert (moved.lost, moved.spoiled) == ([], [])
    assert intact(house, after)
    assert not list((house.settings.data_dir / "moving").iterdir())


def test_a_store_that_spoils_what_it_is_given_gets_no_more(house: House, new_store: NewStore) -> None:
    for _ in range(3):
        shelved(house)
    after = new_store()
    spoiling = Watched(after, "put", lambda key: reverse(after, key), after=True)
    with pytest.raises(Missing, match="new store gives other bytes for renditions/"):
        run(moving(house, spoiling))
    assert run(moving(house, after)).spoiled == []
    assert intact(house, after)


def test_two_names_of_one_store_are_refused(house: House) -> None:
    shelved(house)
    with pytest.raises(Refused, match="one and the same"):
        run(moving(house, house.blobs))
    assert list(house.blobs.keys("probe/")) == []


def test_a_store_that_is_away_ends_the_move_and_nothing_is_called_lost(house: House, new_store: NewStore) -> None:
    for _ in range(3):
        shelved(house)

    def away(_: str) -> None:
        raise Missing("store", "The store is away.")

    after = new_store()
    with pytest.raises(Missing):
        run(moving(house, after, before=Watched(house.blobs, "fetch", away, after=False)))
    assert run(moving(house, after)).lost == []
    assert intact(house, after)


def test_while_it_moves_reads_take_either_and_deletes_both(house: House, new_store: NewStore, tmp_path: Path) -> None:
    after, content = new_store(), b"sound"
    both = MovingStore(after, house.blobs)
    put_bytes(house.blobs, "a/old", content)
    put_bytes(house.blobs, "a/both", content)
    put_bytes(both, "a/new", content)
    put_bytes(both, "a/both", content)
    assert sorted(both.keys("a/")) == ["a/both", "a/new", "a/old"]
    for key in both.keys("a/"):
        both.fetch(key, tmp_path / "copy", sha256=hashlib.sha256(content).hexdigest())
        assert b"".join(both.open_range(key, 1, 3)) == content[1:3]
        assert both.size(key) == len(content)
    assert sorted(house.blobs.keys("a/")) == ["a/both", "a/old"]
    with pytest.raises(FileExistsError):
        put_bytes(both, "a/old", b"other")
    for key in list(both.keys("a/")):
        both.delete(key)
    assert [*after.keys("a/"), *house.blobs.keys("a/")] == []
