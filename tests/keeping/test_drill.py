"""The drill: a house is backed up while it serves, lost, and restored into an empty place, where it serves again."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text
from starlette.testclient import TestClient

from bubbles import find, moderation
from bubbles.app import House
from bubbles.backup import back_up
from bubbles.db import bubbles, steps
from bubbles.http.asgi import create_app
from bubbles.model.bubble import State
from bubbles.model.step import StepName
from bubbles.restore import restore
from tests.keeping.conftest import ALL, BOTH, SAID, NewHouse, published, row, withdraw, work_off


@contextmanager
def publishing(house: House, sound: Path) -> Iterator[list[str]]:
    """Publishes one bubble after the other meanwhile, and gives their codes; at least one before and one after."""
    codes: list[str] = []
    over, begun = threading.Event(), threading.Event()

    def publish() -> None:
        while not over.is_set() or len(codes) < 2:
            codes.append(published(house, sound, *ALL).code)
            begun.set()

    thread = threading.Thread(target=publish)
    thread.start()
    assert begun.wait(120)
    try:
        yield codes
    finally:
        over.set()
        thread.join()


def hold(house: House, code: str) -> None:
    with house.database.transaction() as session:
        found = bubbles.by_code(session, code, account_id=None)
        assert found
        moderation.hold(session, found[0], by="operator", reason="look", now=house.now())


def everything(house: House, sound: Path) -> dict[str, str]:
    """Bubbles of many kinds, by what they are."""
    made = {
        "public": published(house, sound, *ALL, title="Harbour").code,
        "private": published(house, sound, *ALL, visibility="private").code,
        "unlisted": published(house, sound, *ALL, visibility="unlisted").code,
        "held": published(house, sound, *ALL).code,
        "withdrawn": published(house, sound, *ALL).code,
        "playable": published(house, sound, StepName.NORMALISE).code,
        "waiting": published(house, sound).code,
    }
    withdraw(house, made["withdrawn"])
    hold(house, made["held"])
    return made


def holes(house: House) -> list[str]:
    """The blobs that rows name and that are not in the store as they should be."""
    with house.database.transaction() as session:
        named = session.connection().execute(
            text("SELECT blob_key, sha256 FROM rendition UNION ALL SELECT recording_key, recording_sha256 FROM bubble")
        )
        wanted = [(key, sha256) for key, sha256 in named if key]
    assert wanted
    return [key for key, sha256 in wanted if _digest(house, key) != sha256]


def _digest(house: House, key: str) -> str:
    return hashlib.sha256(b"".join(house.blobs.open_range(key, 0, 1 << 30))).hexdigest()


def found(house: House) -> set[str]:
    with house.database.transaction() as session:
        return {item.whole.bubble.code for item in find.find(session, find.Query(q="ferry")).items}


@BOTH
def test_a_house_comes_back_from_a_backup_that_was_made_while_it_served(
    new_house: NewHouse, sound: Path, tmp_path: Path
) -> None:
    before, folder = new_house(), tmp_path / "backups"
    made = everything(before, sound)
    with publishing(before, sound) as meanwhile:
        early = list(meanwhile)
        told = back_up(before, folder, keep=7)
    assert not told.manifest.lost
    after = new_house(migrated=False)
    assert not restore(after, folder).absent
    assert not holes(after)
    states = {kind: row(after, code).state for kind, code in made.items()}
    assert states == {kind: row(before, code).state for kind, code in made.items()}
    assert {made["public"], *early} <= found(after)
    assert not {made["private"], made["unlisted"], made["held"], made["withdrawn"]} & found(after)
    plays(after, made)
    work_off(after)
    assert row(after, made["waiting"]).state is row(after, made["playable"]).state is State.READY
    assert made["waiting"] in found(after)


def plays(house: House, made: dict[str, str]) -> None:
    """What strangers may hear they hear, to the byte; the rest is not there."""
    with TestClient(create_app(house)) as client:
        for kind in ("public", "unlisted", "playable"):
            answer = client.get(f"/media/{made[kind]}.m4a")
            assert (answer.status_code, answer.content[4:8]) == (200, b"ftyp")
        for kind in ("private", "held", "withdrawn"):
            assert client.get(f"/media/{made[kind]}.m4a").status_code == 404
        assert SAID.split()[1] in client.get(f"/b/{made['public']}").text


def test_jobs_come_back_and_those_under_way_are_begun_again(new_house: NewHouse, sound: Path, tmp_path: Path) -> None:
    before, folder = new_house(), tmp_path / "backups"
    bubble = published(before, sound)
    with before.database.transaction() as session:
        steps.begin(session, bubble.id, StepName.NORMALISE, before.now())
        session.connection().execute(text("UPDATE procrastinate_jobs SET status = 'doing'"))
    back_up(before, folder, keep=1)
    after = new_house(migrated=False)
    restore(after, folder)
    with after.database.transaction() as session:
        jobs = session.connection().execute(text("SELECT task_name, args->>'bubble_id' FROM procrastinate_jobs"))
        assert ("normalise", str(bubble.id)) in {tuple(job) for job in jobs}
    work_off(after)
    assert row(after, bubble.code).state is State.READY
