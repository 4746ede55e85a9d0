"""Which blobs rows name is asked again and again while many are copied: never by reading all rows."""

import pytest
from sqlalchemy import text

from bubbles.db import named
from bubbles.db.engine import Database

KEYS = ["recordings/abc/0", "renditions/abc/1.m4a"]


@pytest.mark.parametrize("question", [named.STILL, named.UNNAMED])
def test_whether_rows_name_a_blob_is_asked_through_indexes(database: Database, question: str) -> None:
    with database.transaction() as session:
        connection = session.connection()
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        asked = {"keys": KEYS, "codes": [named.code_of(key) for key in KEYS]}
        plan = "\n".join(connection.execute(text(f"EXPLAIN {question}"), asked).scalars())
    assert "Seq Scan" not in plan
