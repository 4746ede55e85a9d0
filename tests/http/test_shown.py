"""Values as pages show them: whatever a record holds, something stands there."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbles.config import Settings
from bubbles.http import languages, shown

ENGLISH, FRENCH = (languages.read(Settings().pages_dir, language) for language in ("en", "fr"))


@pytest.mark.parametrize(
    ("duration_s", "clock"), [(0, "0:00"), (75.2, "1:15"), (119.99, "1:59"), (math.nan, "0:00"), (-3, "0:00")]
)
def test_a_duration_is_a_clock(duration_s, clock):
    assert shown.clock(duration_s) == clock


@pytest.mark.parametrize(("position_s", "text"), [(12.0, "12"), (12.345, "12.35"), (0.1, "0.1"), (math.inf, "0")])
def test_a_position_in_an_address_is_short(position_s, text):
    assert shown.seconds(position_s) == text


def test_a_day_is_said_as_people_do():
    assert shown.day("2026-11-02T10:00:00Z", ENGLISH) == "2 November 2026"
    assert shown.day("2026-08-02T10:00:00Z", FRENCH) == "2 août 2026"
    assert shown.day("not a day", ENGLISH) == "not a day"


def test_a_language_is_named_in_the_language_of_the_page():
    assert [shown.language("pt-BR", t) for t in (ENGLISH, FRENCH)] == ["Portuguese", "portugais"]
    assert shown.language("qqq", ENGLISH) == "qqq"


def test_the_language_that_is_chosen_is_offered_whatever_it_is():
    usual = shown.languages_spoken(ENGLISH)
    assert shown.languages_spoken(ENGLISH, "fr") == usual
    assert set(shown.languages_spoken(ENGLISH, "pt-BR")) - set(usual) == {("pt-BR", "Portuguese (pt-BR)")}


def test_our_links_start_at_the_root():
    assert shown.local("https://example.org/b/x?a=1") == "/b/x?a=1"


@given(st.lists(st.integers(0, 255), max_size=300), st.integers(1, 200))
def test_a_waveform_has_as_many_bars_as_asked(peaks, bars):
    assert shown.waveform(peaks, bars).count("M") == bars


def test_a_peak_is_never_lost_between_bars():
    assert all("v100h" in shown.waveform([0] * at + [255] + [0] * (199 - at), 60) for at in range(200))


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(-5, 40), st.integers(-5, 40)), max_size=5))
def test_highlights_cut_a_snippet_without_changing_it(snippet, highlights):
    assert "".join(piece for piece, _ in shown.marked(snippet, highlights)) == snippet


def test_highlights_are_marked():
    assert list(shown.marked("fresh lemons", [[6, 12]])) == [("fresh ", False), ("lemons", True), ("", False)]
