"""Each promise can be seen to be broken."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text

from bubbles.db import discards
from tests.faults import promises
from tests.faults.conftest import Grounds
from tests.faults.flows import put, ready
from tests.faults.lives import Ground, Life, life
from tests.faults.warm import Warm


def run(life: Life, statement: str) -> None:
    with life.house.database.transaction() as session:
        session.connection().execute(text(statement))


def lose_a_blob(life: Life) -> None:
    life.house.blobs.delete(next(life.house.blobs.keys("renditions/")))


def change_a_blob(life: Life) -> None:
    key = next(life.house.blobs.keys("recordings/"))
    life.house.blobs.delete(key)
    put(life, key, b"other bytes")


def leave_a_file(life: Life) -> None:
    (life.house.settings.data_dir / "work" / "left").write_bytes(b"x")


def leave_a_half_blob(life: Life) -> None:
    (life.house.settings.data_dir / "blobs" / ".tmp-left").write_bytes(b"x")


def doom_for_ever(life: Life) -> None:
    with life.house.database.transaction() as session:
        discards.doom(session, ["renditions/AAAAAAAAAAAAAAAA/sound.ogg"], life.clock())


def leave_an_upload_open(life: Life) -> None:
    run(life, "UPDATE upload SET ended_at = NULL WHERE id = (SELECT min(id) FROM upload)")


def publish_twice(life: Life) -> None:
    life.post("three")
    run(life, "UPDATE bubble SET title = 'one'")
    life.work()


SABOTAGE: dict[Callable[[Life], None], str] = {
    lose_a_blob: "sound_is_whole",
    change_a_blob: "sound_is_whole",
    lambda life: run(life, "DELETE FROM rendition WHERE kind = 'ogg'"): "sound_is_whole",
    lambda life: life.told("accepted", title="three", code="AAAAAAAAAAAAAAAA"): "acknowledged_once",
    lambda life: life.told("accepted", title="one", code=life.code("two")): "acknowledged_once",
    lambda life: run(life, "UPDATE upload SET bubble_id = (SELECT min(id) FROM bubble)"): "acknowledged_once",
    publish_twice: "acknowledged_once",
    lambda life: life.told("edited", code=life.code("one"), json={"title": "eins"}): "changes_kept",
    lambda life: life.told("corrected", code=life.code("one"), json={"cues": []}): "changes_kept",
    lambda life: run(life, "UPDATE bubble SET ready_at = NULL"): "journeys_ended",
    lambda life: run(life, "DELETE FROM search_document"): "journeys_ended",
    lambda life: run(life, "DELETE FROM transcript"): "journeys_ended",
    lambda life: run(life, "UPDATE bubble SET keep_recording = false"): "journeys_ended",
    lambda life: life.told("withdrawn", code=life.code("one")): "withdrawn_is_gone",
    lambda life: run(life, "UPDATE bubble SET withdrawn_at = now()"): "withdrawn_is_gone",
    lambda life: life.told("left"): "withdrawn_is_gone",
    lambda life: life.post("three"): "queue_is_at_rest",
    lambda life: put(life, "renditions/AAAAAAAAAAAAAAAA/sound.ogg", b"left"): "nothing_is_left_over",
    leave_a_file: "nothing_is_left_over",
    leave_a_half_blob: "nothing_is_left_over",
    doom_for_ever: "nothing_is_left_over",
    leave_an_upload_open: "nothing_is_left_over",
    lambda life: run(life, "UPDATE chore SET latest = '{\"orphans_kept\": 1}'"): "upkeep_is_done",
    lambda life: run(life, "UPDATE chore SET failed_at = ran_at"): "upkeep_is_done",
}


ACTS = list(SABOTAGE)


def sabotage(ground: Ground, number: int | None) -> None:
    """Writes down which promises are broken in a house where all was well."""
    with life(ground) as alive:
        alive.settle()
        ready(alive)
        alive.run_schedule()
        alive.run_schedule()
        if number is not None:
            ACTS[number](alive)
        found = promises.broken(alive, a_day_later=True)
    (ground.folder / "broken").write_text(json.dumps(found))


@pytest.mark.parametrize("grounds", ["disk"], indirect=True)
@pytest.mark.parametrize("number", [None, *range(len(ACTS))], ids=lambda n: "none" if n is None else ACTS[n].__name__)
def test_what_is_broken_is_seen(grounds: Grounds, warm: Warm, number: int | None) -> None:
    ground = grounds.new()
    assert warm.run(sabotage, ground, number) == 0
    broken = {what.split(":")[0] for what in json.loads((ground.folder / "broken").read_text())}
    assert broken == set() if number is None else SABOTAGE[ACTS[number]] in broken
