"""What people write is kept as they meant it, or refused; nothing odd gets past."""

import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbles.errors import Code, Refused
from bubbles.model.texts import (
    clean_handle,
    clean_language,
    clean_line,
    clean_tags,
    clean_text,
    primary_subtag,
    typed_handle,
)


def line(text: str, length_max: int = 200) -> str:
    return clean_line(text, what="title", length_max=length_max)


@given(st.text(max_size=300))
def test_whatever_passes_is_valid_xml_bounded_and_passes_again(text: str) -> None:
    try:
        kept = clean_text(text, what="title", length_max=200)
    except Refused as refused:
        assert refused.code == Code.BAD_TEXT
        return
    element = ElementTree.Element("title")
    element.text = kept
    ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))  # noqa: S314 - our own
    assert len(kept) <= 200
    assert unicodedata.is_normalized("NFC", kept)
    assert clean_text(kept, what="title", length_max=200) == kept


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\x1b", "\x7f\x00", "\ud800", "\ufffe", "\uffff", "\u202e", "\u202a", "\u2066", "\u2069"],
)
def test_control_characters_surrogates_and_bidirectional_overrides_are_refused(character: str) -> None:
    with pytest.raises(Refused) as refused:
        line(f"free{character}coffee")
    assert refused.value.code == Code.BAD_TEXT


@pytest.mark.parametrize("text", ["שלום", "مرحبا", "👩‍👩‍👧", "日本語", "e\u0301te\u0301", "a\u200db", "𝄞 clef"])
def test_scripts_emoji_and_joiners_are_kept(text: str) -> None:
    assert line(text) == unicodedata.normalize("NFC", text)


UNSEEN = (
    "\u200b\u2060\ufeff\ufe0f\ufe00\U000e0100\U000e0061\u115f\u1160\u3164\uffa0\u200d\u200c\u00ad\u034f\u061c\u180e\u17b5"
    "\u200e\u200f\u206a\u2800\U0001d173"
)


@pytest.mark.parametrize("text", [*UNSEEN, UNSEEN, " \u200b \ufeff\n"], ids=ascii)
def test_what_cannot_be_seen_is_empty(text: str) -> None:
    assert line(text) == line(text * 3) == clean_text(f" {text}\n{text} ", what="title", length_max=10) == ""
    assert clean_tags([text, f"#{text}", f"{text}#"], count_max=10, length_max=50) == []
    assert line(f"{text}market") == "market"


@pytest.mark.parametrize("text", [*"\u200b\u2060\ufeff\u115f\u3164\u00ad\u200f", " \u2800 "], ids=ascii)
def test_nothing_unseen_stands_at_the_ends(text: str) -> None:
    assert line(f"{text}old market{text}") == "old market"


@pytest.mark.parametrize(
    "text",
    [
        *("\u2764\ufe0f", "1\ufe0f\u20e3", "می\u200cخواهم", "ക്\u200dഷ", "ന്\u200d", "wait\u00adress"),
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",
    ],
    ids=ascii,
)
def test_what_shapes_the_letter_before_it_is_kept(text: str) -> None:
    assert line(f" {text} ") == text


def test_the_same_word_typed_in_two_ways_is_one_word() -> None:
    assert line("cafe\u0301") == line("café") == "café"


def test_a_line_folds_tabs_breaks_and_runs_of_spaces() -> None:
    assert line("  one\n two\t\tthree \u00a0 four ") == "one two three four"


def test_a_text_keeps_its_lines() -> None:
    assert clean_text("one\ntwo", what="reason", length_max=10) == "one\ntwo"


def test_the_longest_title_passes_and_one_more_is_refused_with_both_numbers() -> None:
    assert line("é" * 200) == "é" * 200
    with pytest.raises(Refused, match="title has 201 characters; at most 200") as refused:
        line("é" * 201)
    assert refused.value.code == Code.BAD_TEXT


def test_length_is_counted_in_composed_characters() -> None:
    assert line("e\u0301" * 10, length_max=10) == "é" * 10


def test_accents_as_scripts_pile_them_pass_and_towers_of_them_do_not() -> None:
    assert line("x" + "\u0334" * 8)
    with pytest.raises(Refused, match="piles up accents"):
        line("x" + "\u0334" * 9)


def test_tags_lose_hash_case_repeats_and_blanks_but_not_order() -> None:
    tags = clean_tags(["#Market", " market ", "", "#", "Straße", "##Coffee", "STRASSE"], count_max=10, length_max=50)
    assert tags == ["market", "strasse", "coffee"]


def test_too_many_tags_are_refused_and_repeats_do_not_count() -> None:
    assert len(clean_tags([f"t{number}" for number in range(10)] * 2, count_max=10, length_max=50)) == 10
    with pytest.raises(Refused, match="11 tags; at most 10"):
        clean_tags([f"t{number}" for number in range(11)], count_max=10, length_max=50)


def test_a_tag_that_is_too_long_is_refused() -> None:
    with pytest.raises(Refused, match="tag has 51"):
        clean_tags(["t" * 51], count_max=10, length_max=50)


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant-TW", "gsw", "sr-Latn-RS", "de-1996"])
def test_language_tags_pass(tag: str) -> None:
    assert clean_language(tag) == tag


def test_only_the_primary_language_is_put_in_lower_case() -> None:
    assert clean_language("PT-BR") == "pt-BR"


@pytest.mark.parametrize(
    "tag", ["", "e", "english", "en_GB", "en-", "-en", "en\n", "en-x", "e1", "en-toolongtag", "fr-a-b-c-d-e-f"]
)
def test_what_is_no_language_tag_is_refused(tag: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_language(tag)
    assert refused.value.code == Code.BAD_TEXT


@pytest.mark.parametrize(("tag", "primary"), [("pt-BR", "pt"), ("EN", "en"), ("zh_Hant", "zh"), (None, ""), ("", "")])
def test_the_primary_subtag(tag: str | None, primary: str) -> None:
    assert primary_subtag(tag) == primary


@pytest.mark.parametrize(
    ("handle", "kept"), [("anna", "anna"), ("@Anna", "anna"), ("a", "a"), ("a-b_c9", "a-b_c9"), ("x" * 30, "x" * 30)]
)
def test_handles_pass_in_lower_case_without_the_at(handle: str, kept: str) -> None:
    assert clean_handle(handle) == kept


@pytest.mark.parametrize(
    ("typed", "handle"), [(" @Anna ", "anna"), ("anna", "anna"), ("@@anna", "@anna"), ("an\x00na", ""), ("", "")]
)
def test_a_handle_is_typed_with_what_makes_no_difference(typed: str, handle: str) -> None:
    assert typed_handle(typed) == handle


@pytest.mark.parametrize(
    "handle", ["", "@", "-a", "a-", "_a", "a_", "x" * 31, "ännä", "a b", "a/b", "a.b", "anna\n", "@@anna", "a%2f", "Ⅷ"]
)
def test_what_is_no_handle_is_refused(handle: str) -> None:
    with pytest.raises(Refused) as refused:
        clean_handle(handle)
    assert refused.value.code == Code.BAD_TEXT
