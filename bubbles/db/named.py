"""The blobs that rows name: what a backup holds, and what a store must hold."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from bubbles.db.engine import Database
from bubbles.model.rendition import MEDIA_TYPES

PAGE_ROWS = 1000
RECORDINGS = """
SELECT recording_key AS key, recording_sha256 AS sha256, recording_bytes AS length_bytes,
    NOT EXISTS (SELECT FROM rendition WHERE bubble_id = bubble.id) AS only_copy
FROM bubble WHERE recording_key IS NOT NULL
"""
RENDITIONS = "SELECT blob_key, sha256, length_bytes, false FROM rendition"
NAMED = f"{RECORDINGS} UNION ALL {RENDITIONS}"
NAMED_OF = f"{RECORDINGS} AND id = ANY(:ids) UNION ALL {RENDITIONS} WHERE bubble_id = ANY(:ids)"
NEXT = "SELECT id FROM bubble WHERE id > :last ORDER BY id LIMIT :limit"
COUNT = "SELECT (SELECT count(*) FROM bubble WHERE recording_key IS NOT NULL) + (SELECT count(*) FROM rendition)"
STILL = """
SELECT recording_key FROM bubble WHERE code = ANY(:codes) AND recording_key = ANY(:keys)
UNION
SELECT blob_key FROM bubble JOIN rendition ON bubble_id = bubble.id WHERE code = ANY(:codes) AND blob_key = ANY(:keys)
"""
UNNAMED = """
SELECT key FROM unnest(CAST(:keys AS text[])) AS key
WHERE NOT EXISTS (SELECT FROM discard WHERE blob_key = key)
    AND NOT EXISTS (
        SELECT FROM bubble LEFT JOIN rendition ON rendition.bubble_id = bubble.id
        WHERE code = split_part(key, '/', 2) AND key IN (recording_key, blob_key)
    )
"""


@dataclass(frozen=True)
class Named:
    """A blob that a row names. `only_copy`: the sound is nowhere else, as nothing was made from it yet."""

    key: str
    sha256: str
    length_bytes: int
    only_copy: bool

    @property
    def code(self) -> str:
        """The bubble that it belongs to."""
        return code_of(self.key)

    @property
    def content_type(self) -> str:
        """As the store is told: what a recording is nobody says."""
        return MEDIA_TYPES.get(self.key.rpartition(".")[2], "application/octet-stream")


def code_of(key: str) -> str:
    """The code of the bubble that a blob belongs to: `renditions/CODE/...`, `recordings/CODE/...`."""
    return "".join(key.split("/")[1:2])


def blobs(session: Session) -> Iterator[Named]:
    """All of them, a page at a time, in any order."""
    rows = session.connection().execution_options(yield_per=PAGE_ROWS).execute(text(NAMED))
    return (Named(*row) for row in rows)


def pages(database: Database) -> Iterator[Named]:
    """All of them, for who takes long over them: no transaction is open meanwhile, and a page is in memory.

    What comes to be meanwhile may be in or out.
    """
    last = 0
    while True:
        with database.transaction() as session:
            connection = session.connection()
            ids = list(connection.execute(text(NEXT), {"last": last, "limit": PAGE_ROWS}).scalars())
            page = [Named(*row) for row in connection.execute(text(NAMED_OF), {"ids": ids})]
        if not ids:
            return
        yield from page
        last = ids[-1]


def count(session: Session) -> int:
    """How many there are."""
    return int(session.connection().execute(text(COUNT)).scalar_one())


def still(session: Session, keys: list[str]) -> set[str]:
    """Those of the keys that rows name at this moment; each lies where its bubble's code says."""
    asked = {"keys": keys, "codes": [code_of(key) for key in keys]}
    return set(session.connection().execute(text(STILL), asked).scalars())


def unnamed(session: Session, keys: list[str]) -> list[str]:
    """Those of the keys that no row names and no doom waits for; each lies where its bubble's code says."""
    return list(session.connection().execute(text(UNNAMED), {"keys": keys}).scalars())


def use_renditions(session: Session, keys: list[str]) -> None:
    """Lets go of recordings that are not there, where there is something to hear instead."""
    session.connection().execute(
        text("UPDATE bubble SET recording_key = NULL WHERE recording_key = ANY(:keys) AND playable_at IS NOT NULL"),
        {"keys": keys},
    )


def hear_from(session: Session, recording_key: str, *, key: str, sha256: str, length_bytes: int) -> None:
    """Has a bubble whose recording is not there heard from another blob."""
    session.connection().execute(
        text(
            "UPDATE bubble SET recording_key = :key, recording_sha256 = :sha256, recording_bytes = :length_bytes"
            " WHERE recording_key = :recording_key"
        ),
        {"recording_key": recording_key, "key": key, "sha256": sha256, "length_bytes": length_bytes},
    )


def count_bubbles(session: Session) -> int:
    """How many bubbles there are, withdrawn ones included."""
    return int(session.connection().execute(text("SELECT count(*) FROM bubble")).scalar_one())
