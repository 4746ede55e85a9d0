"""Which database is named, and what is said when it is none."""

import pytest

from bubbles.app import database_url
from bubbles.config import Settings
from bubbles.errors import Missing


@pytest.mark.parametrize("url", ["postgresql://u:p@h/d", "postgres://h/d", "postgresql+psycopg:///d?host=/run"])
def test_a_url_of_postgresql_is_taken(url: str) -> None:
    with database_url(Settings(database_url=url)) as taken:
        assert taken == url


@pytest.mark.parametrize("url", ["secret", "mysql://u:secret@h/d", "host=h password=secret"])
def test_any_other_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Missing, match="postgresql://") as missing, database_url(Settings(database_url=url)):
        pass
    assert missing.value.part == "database"
    assert "secret" not in missing.value.detail
