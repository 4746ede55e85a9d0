"""Which blobs rows name is asked again and again while many are copied: never by reading all rows."""

from dataclasses import astuple

import pytest
from sqlalchemy import text

from bubbles.db import named
from bubbles.db.engine import Database

KEYS = ["recordings/abc/0", "renditions/abc/1.m4a"]


MADE = """
WITH who AS (INSERT INTO account (handle, created_at) VALUES ('named', now()) RETURNING id),
    place AS (INSERT INTO channel (handle, title, created_at) VALUES ('named', 'named', now()) RETURNING id),
    made AS (
        INSERT INTO bubble (
            code, channel_id, author_id, duration_s, recording_key, recording_sha256, recording_bytes, recorded_at,
            created_at, version, title, tags, visibility, keep_recording
        )
        SELECT 'code' || n, place.id, who.id, 1, CASE WHEN n % 3 = 0 THEN 'recordings/code' || n || '/x' END, 'aa', 7,
            now(), now(), 1, '', '{}', 'public', false
        FROM who, place, generate_series(1, 11) AS n
        RETURNING id, code
    )
INSERT INTO rendition (bubble_id, kind, blob_key, length_bytes, sha256, minute_bytes, created_at)
SELECT id, kind, 'renditions/' || code || '/x.' || kind, 5, 'bb', 1, now()
FROM made, unnest(ARRAY['m4a', 'ogg']) AS kind WHERE right(code, 1) <> '5'
"""


def test_all_blobs_come_in_pages_and_no_transaction_is_open_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(named, "PAGE_ROWS", 4)
    open_now = set()
    with database.transaction() as session:
        session.connection().execute(text(MADE))
        pool = session.get_bind().pool  # type: ignore[union-attr]
    found = []
    for each in named.pages(database):
        found.append(each)
        open_now.add(pool.checkedout())
    with database.transaction() as session:
        assert sorted(map(astuple, found)) == sorted(map(astuple, named.blobs(session)))
        assert named.count(session) == len(found) == 3 + 2 * 10
    assert open_now == {0}


@pytest.mark.parametrize("question", [named.STILL, named.UNNAMED])
def test_whether_rows_name_a_blob_is_asked_through_indexes(database: Database, question: str) -> None:
    with database.transaction() as session:
        connection = session.connection()
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        asked = {"keys": KEYS, "codes": [named.code_of(key) for key in KEYS]}
        plan = "\n".join(connection.execute(text(f"EXPLAIN {question}"), asked).scalars())
    assert "Seq Scan" not in plan
