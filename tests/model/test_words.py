"""What a word is, and how far two words lie apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbles.model.words import WORD_MAX, edits, is_word, spaced, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("l’école, don't!", "l école don t"),
        ("foo_bar ex.com C3PO 2024", "foo bar ex com C3PO 2024"),
        ("東京タワー in 北京2024", "東 京 タ ワ ー in 北 京 2024"),
        ("กินข้าว", "กิ น ข้ า ว"),
        ("हिन्दी שָׁלוֹם", "हिन्दी שָׁלוֹם"),
        ("cafe\u0301 ｗｉｄｅ ﬁn", "café wide fin"),
        ("\x00 \ud800 \u0301 💣 … -", ""),
    ],
)
def test_words_are_letters_and_digits(text, words) -> None:
    assert spaced(text) == words


@given(st.text())
def test_words_stand_where_they_say_and_apart(text) -> None:
    end = 0
    for word in words_of(text):
        assert end <= word.start < word.end
        assert is_word(text[word.start : word.end])
        assert len(word.text) <= WORD_MAX
        end = word.end


@pytest.mark.parametrize(
    ("word", "other", "distance"),
    [
        ("", "", 0),
        ("", "abc", 3),
        ("market", "market", 0),
        ("makret", "market", 1),
        ("marke", "market", 1),
        ("markket", "market", 1),
        ("markat", "market", 1),
        ("amrkte", "market", 2),
        ("abc", "xyz", 3),
    ],
)
def test_edits_are_counted_as_people_make_them(word, other, distance) -> None:
    assert edits(word, other) == edits(other, word) == distance


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_edits_lie_between_the_difference_in_length_and_the_longer_word(word, other) -> None:
    assert abs(len(word) - len(other)) <= edits(word, other) <= max(len(word), len(other))
    assert (edits(word, other) == 0) == (word == other)
