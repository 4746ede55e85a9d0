"""The database's URL, as the driver and the programs that come with PostgreSQL read it."""

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from bubbles.db.engine import Database

WORD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


def escaped(word: str) -> str:
    return quote(word, safe="")


@given(WORD, WORD, WORD, WORD)
@example("a b", "p a+s%s", "my base", "a program + more")
@example("user", "p@ss:word/?#[]&=", "base", "x")
@example("user", "%20", "b?c", "%2B")
def test_whatever_a_password_holds_reaches_the_driver(user: str, password: str, name: str, program: str) -> None:
    url = f"postgresql://{escaped(user)}:{escaped(password)}@db.internal:5433/{escaped(name)}"
    told = conninfo_to_dict(Database(f"{url}?application_name={escaped(program)}").libpq_url)
    assert told == {
        "user": user,
        "password": password,
        "host": "db.internal",
        "port": "5433",
        "dbname": name,
        "application_name": program,
    }


@pytest.mark.parametrize("folder", ["/run/postgresql", "/var/lib/a folder/+1"])
def test_a_socket_in_any_folder_is_found(folder: str) -> None:
    told = conninfo_to_dict(Database(f"postgresql://user:secret@/base?host={escaped(folder)}").libpq_url)
    assert told["host"] == folder
