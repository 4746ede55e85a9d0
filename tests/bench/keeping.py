"""How long backing up and restoring takes: `python -m tests.bench.keeping [BUBBLES]`.

A database of bubbles with words, each with two renditions of 60 kB on a disk; real PostgreSQL, fsync on. Prints the
first backup, one with nothing new, one with a tenth more, and the restore of it all into an empty place.
"""

import hashlib
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from bubbles import accounts, logs
from bubbles.app import House
from bubbles.backup import back_up
from bubbles.blobs.address import open_store
from bubbles.blobs.store import put_bytes
from bubbles.config import Settings
from bubbles.db import channels, search
from bubbles.db.embedded import running
from bubbles.db.engine import Database
from bubbles.ids import new_code
from bubbles.model.bubble import Bubble
from bubbles.model.rendition import MEDIA_TYPES, Rendition
from bubbles.model.times import utc_now
from bubbles.model.transcript import Transcript
from bubbles.restore import restore

BUBBLES = 2_000
RENDITION_BYTES = 60_000
WORDS = 150
HANDLE = "bench"


def house_at(url: str, folder: Path) -> House:
    folder.mkdir()
    blobs = open_store((folder / "blobs").as_uri())
    return House(Settings(data_dir=folder), Database(url), blobs, transcriber=None)  # type: ignore[arg-type] # nobody speaks


def fill(house: House, count: int) -> None:
    """Adds bubbles with words and sound."""
    now, vocabulary = utc_now(), [secrets.token_hex(3) for _ in range(5_000)]
    with house.database.transaction() as session:
        channel = channels.by_handle(session, HANDLE)
        assert channel
        for _ in range(count):
            bubble = Bubble(
                code=new_code(), channel_id=channel.id, author_id=channel.id, title="Bench", duration_s=60.0,
                peaks=secrets.token_bytes(200), recording_sha256="0", recording_bytes=1, recorded_at=now,
                created_at=now, playable_at=now, ready_at=now,
            )  # fmt: skip
            session.add(bubble)
            session.flush()
            said = " ".join(random.choices(vocabulary, k=WORDS))
            cues = [{"start_s": 0.0, "end_s": 60.0, "text": said, "unsure": False}]
            transcript = Transcript(bubble_id=bubble.id, language="en", cues=cues, created_at=now)
            session.add_all([transcript, *(rendition(house, bubble, kind) for kind in MEDIA_TYPES)])
            session.flush()
            search.index(session, bubble, transcript)


def rendition(house: House, bubble: Bubble, kind: str) -> Rendition:
    content = secrets.token_bytes(RENDITION_BYTES)
    sha256 = hashlib.sha256(content).hexdigest()
    key = f"renditions/{bubble.code}/{sha256[:32]}.{kind}"
    put_bytes(house.blobs, key, content)
    return Rendition(
        bubble_id=bubble.id, kind=kind, blob_key=key, length_bytes=RENDITION_BYTES, sha256=sha256,
        minute_bytes=RENDITION_BYTES, created_at=bubble.created_at,
    )  # fmt: skip


def timed(what: str, run: Callable[[], object]) -> None:
    began_s = time.perf_counter()
    run()
    print(f"{what:38} {time.perf_counter() - began_s:7.2f} s", flush=True)


def main(count: int) -> None:
    logs.configure("warning")
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        with running(folder / "one") as one, running(folder / "other") as other:
            house, elsewhere = house_at(one, folder / "house"), house_at(other, folder / "elsewhere")
            house.database.migrate()
            with house.database.transaction() as session:
                accounts.create(session, HANDLE, now=utc_now())
            fill(house, count)
            with house.database.transaction() as session:
                size = "SELECT pg_database_size(current_database())"
                bytes_ = int(session.connection().execute(text(size)).scalar_one())
            print(f"{count} bubbles: database {bytes_ / 1e6:.0f} MB, sound {2 * count * RENDITION_BYTES / 1e6:.0f} MB")
            backups = folder / "backups"
            timed("first backup", lambda: back_up(house, backups, keep=7))
            timed("backup with nothing new", lambda: back_up(house, backups, keep=7))
            fill(house, count // 10)
            timed(f"backup with {count // 10} new bubbles", lambda: back_up(house, backups, keep=7))
            timed("restore", lambda: restore(elsewhere, backups))
            for each in (house, elsewhere):
                each.database.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BUBBLES)
