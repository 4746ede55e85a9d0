"""Templates and assets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbles.config import Settings
from bubbles.errors import Missing
from bubbles.http import render


def test_pages_that_are_not_built_say_so(tmp_path):
    with pytest.raises(Missing, match="run `make run`"):
        render.environment(tmp_path).from_string('{{ asset("src/main.ts") }}').render()


def test_assets_have_their_hashed_names():
    pages_dir = Settings().pages_dir
    url = render.environment(pages_dir).from_string('{{ asset("styles/main.css") }}').render()
    assert url.startswith("/assets/main-")
    assert (pages_dir / "dist" / url.lstrip("/")).is_file()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(json_values)
def test_json_in_a_page_ends_nothing_and_says_the_same(value):
    text = str(render.embedded_json(value))
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)
