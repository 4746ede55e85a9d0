"""Flows: what is done in a house while it may die, and what whoever asked does again because no answer came."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bubbles import leave, publish
from bubbles.db import accounts, discards
from tests.faults import keeping
from tests.faults.lives import HANDLE, Life, send

DAY = timedelta(days=1)


def nothing(life: Life) -> None:
    """Nothing to do."""


@dataclass(frozen=True)
class Flow:
    """What is done, and around it.

    `prepare` cannot die, `act` may die anywhere; `reopen` is done afterwards by the operator, before anybody is let in
    and before time passes, `again` by who got no answer. `after` is what one who has recovered is asked once.
    """

    act: Callable[[Life], None]
    prepare: Callable[[Life], None] = nothing
    reopen: Callable[[Life], None] = nothing
    again: Callable[[Life], None] = nothing
    after: Callable[[Life], None] = nothing


def post(life: Life) -> None:
    """A recording is sent, under a key."""
    life.post("one")


def posted(life: Life) -> None:
    """Two recordings are accepted; one of them is to be kept."""
    life.post("one", keep_recording="true")
    life.post("two")


def playable(life: Life) -> None:
    """One is playable."""
    post(life)
    life.work("normalise")


def ready(life: Life) -> None:
    """Both have ended their journey."""
    posted(life)
    life.work()


def edit(life: Life) -> None:
    """One gets another title and another language, in which it is heard anew; the words of the other are corrected."""
    send(life, "edited", "one", "PATCH", "", json={"title": "eins", "language": "de"})
    life.work()
    cues = [{"start_s": 0.0, "end_s": 0.5, "text": "Good morning.", "unsure": False}]
    send(life, "corrected", "two", "PUT", "/transcript", json={"language": "en", "cues": cues})


def withdraw(life: Life) -> None:
    """All go."""
    for title in {line["title"] for line in life.remembered("accepted")}:
        send(life, "withdrawn", title, "DELETE", "")
    life.work()


def withdraw_early(life: Life) -> None:
    """One goes while its renditions are being made."""
    life.work("normalise")
    withdraw(life)


def publish_file(life: Life) -> None:
    """A file of this machine becomes a bubble, and its journey is run on the spot."""
    publish.POLL_S = 0
    bubble = publish.publish(life.house, life.ground.sound.wav, {"title": "one"})
    life.told("accepted", title="one", code=bubble.code)
    publish.wait(life.house, bubble.id)


def close_account(life: Life) -> None:
    """Ana leaves, and all that is hers goes."""
    with life.house.database.transaction() as session:
        account = accounts.by_handle(session, HANDLE)
        if account is not None:
            leave.leave(session, account, everywhere=True, now=life.clock())
    life.told("left")
    life.work()


def littered(life: Life) -> None:
    """A house in which much was left behind long ago, and some just now."""
    ready(life)
    for number in range(3):
        key = f"renditions/AAAAAAAAAAAAAAA{number}/left.ogg"
        with life.house.database.transaction() as session:
            discards.doom(session, [key], life.clock() - DAY)
        put(life, key, b"left")
    work, uploads = life.house.settings.data_dir / "work", life.house.settings.uploads_dir
    blobs = [life.house.settings.data_dir / "blobs" / "renditions"] if life.ground.blob_url.startswith("file:") else []
    for folder in (work, uploads, work / "normalise-left", *blobs):
        folder.mkdir(parents=True, exist_ok=True)
        _age(folder / ".tmp-left")
    _age(work / "normalise-left", directory=True)


def put(life: Life, key: str, content: bytes) -> None:
    """Stores a blob that no row names."""
    source = life.ground.folder / "source"
    source.write_bytes(content)
    life.house.blobs.put(key, source, sha256=hashlib.sha256(content).hexdigest(), content_type="audio/ogg")


def _age(path: Path, *, directory: bool = False) -> None:
    """Something that a crash left two days ago."""
    if not directory:
        path.write_bytes(b"left")
    two_days_ago = time.time() - 2 * DAY.total_seconds()
    os.utime(path, (two_days_ago, two_days_ago))


FLOWS = {
    "accept": Flow(post, again=post),
    "normalise": Flow(lambda life: life.work("normalise"), prepare=post),
    "transcribe": Flow(lambda life: life.work(), prepare=playable),
    "publish": Flow(publish_file),
    "edit": Flow(edit, prepare=ready, again=edit),
    "withdraw": Flow(withdraw, prepare=ready, again=withdraw),
    "withdraw early": Flow(withdraw_early, prepare=post, again=withdraw),
    "leave": Flow(close_account, prepare=ready, again=close_account),
    "sweep": Flow(Life.run_schedule, prepare=littered),
}
"""What people do, and what follows. Add one here, and its floor to the test: the rest follows."""

WITH_THE_HOUSE = {
    "move": Flow(keeping.move_sound, prepare=keeping.settle_elsewhere, again=keeping.end_the_move),
    "backup": Flow(
        keeping.make_backup, prepare=keeping.backed_up, again=keeping.back_up_again, after=keeping.come_back
    ),
    "restore": Flow(keeping.bring_back, prepare=keeping.lost, reopen=keeping.go_on_bringing_back),
}
"""What its operator does with the house as a whole."""

EVERY_FLOW = FLOWS | WITH_THE_HOUSE
