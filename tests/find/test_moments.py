"""Each bubble names the second at which it says what was asked for."""

import pytest
from sqlmodel import Session

from bubbles import find
from bubbles.db import moments
from bubbles.db.moments import SNIPPET_MAX
from bubbles.find import Match, Query
from bubbles.model.cue import Cue
from bubbles.model.words import words_of


def match(session: Session, q: str) -> Match:
    (found,) = find.find(session, Query(q=q)).items
    assert found.match is not None
    return found.match


def cues(*texts: str) -> list[Cue]:
    """Cues of five seconds each."""
    return [Cue(5.0 * number, 5.0 * number + 5, text) for number, text in enumerate(texts)]


def highlighted(match: Match) -> list[str]:
    return [match.snippet[start:end] for start, end in match.highlights]


@pytest.mark.parametrize(
    ("asked", "start_s", "words"),
    [
        ("lemons", 5, ["lemons"]),
        ("LEMÓN", 5, ["lemons"]),
        ("old", 10, ["old"]),
        ("harbour", 10, ["harbour"]),
        ('"in the old harbour"', 10, ["in", "the", "old", "harbour"]),
        ("harbour market", 15, ["market", "harbour"]),
        ("lemons -peaches", 5, ["lemons"]),
        ("peaches OR markets", 15, ["market"]),
    ],
)
def test_the_first_best_cue_is_named(session, publish, asked, start_s, words) -> None:
    said = cues(
        "good morning all", "we sell lemons here", "in the old harbour, every day", "at the market by the harbour"
    )
    publish("it", said, language="en")
    found = match(session, asked)
    assert (found.start_s, highlighted(found)) == (start_s, words)
    assert found.snippet == said[int(start_s / 5)].text


def test_a_phrase_across_two_cues_names_the_first(session, publish) -> None:
    publish("old it", cues("a harbour", "we met at the old", "harbour of Piran", "old, old"), language="en")
    found = match(session, '"old harbour"')
    assert (found.start_s, found.snippet) == (5, "we met at the old harbour of Piran")
    assert highlighted(found) == ["old", "harbour"]


@pytest.mark.parametrize("asked", ["lemons", "fruit", "lemons fruit"])
def test_what_only_title_or_tags_hold_is_shown_from_the_start(session, publish, asked) -> None:
    publish("Fresh lemons", cues("good morning"), language="en", tags=["fruit"])
    found = match(session, asked)
    assert (found.start_s, found.snippet) == (0, "Fresh lemons")
    assert highlighted(found) == ["lemons"] * ("lemons" in asked)


def test_unsure_cues_are_never_named(session, publish) -> None:
    said = [Cue(0, 1, "lemons", unsure=True), Cue(1, 2, "fresh"), Cue(2, 3, "lemons")]
    publish("it", said, language="en")
    assert match(session, "lemons").start_s == 2


def test_highlights_are_those_of_the_bubbles_own_language(session, publish) -> None:
    publish("it", "univers et university", language="fr")
    assert highlighted(match(session, "university")) == ["university"]


def test_letters_of_a_script_without_spaces_are_highlighted_as_one(session, publish) -> None:
    publish("it", cues("你好", "我们在北京大学见面"), language="zh")
    found = match(session, "北京")
    assert (found.start_s, highlighted(found)) == (5, ["北京"])


def test_offsets_count_code_points(session, publish) -> None:
    publish("it", "💣💣 un cafe\u0301 crème", language="fr")
    assert highlighted(match(session, "cafe creme")) == ["cafe\u0301", "crème"]


@pytest.mark.parametrize("padding", ["word " * 100, "x" * 500 + " ", "字" * 500])
def test_long_texts_are_cut_around_the_words(session, publish, padding) -> None:
    publish("it", f"{padding}lemons {padding}", language="en")
    found = match(session, "lemons")
    assert len(found.snippet) <= SNIPPET_MAX
    assert found.snippet[0] == found.snippet[-1] == "…"
    assert highlighted(found) == ["lemons"]


@pytest.mark.parametrize("cue", ["word " * 1_000, "x" * 5_000, "字" * 5_000, "", "a"], ids=lambda cue: cue[:2])
def test_of_a_giant_transcript_a_bounded_part_is_read(session, publish, cue, monkeypatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(moments, "words_of", lambda text: [read.append(text), *words_of(text)][1:])
    publish("it", [*cues("lemons"), *([Cue(9, 10, cue)] * 7_000), *cues("lemons")][: 7_002 if len(cue) < 2 else 40])
    assert match(session, "lemons").start_s == 0
    assert sum(map(len, read)) <= moments.READ_MAX + len("it")
    assert len(read) <= moments.READ_MAX + 1


def test_a_transcript_as_long_as_they_may_be_is_read_to_its_end(session, publish) -> None:
    publish("it", [Cue(0, 1, "word " * 1_040), Cue(119, 120, "lemons")], language="en")
    assert match(session, "lemons").start_s == 119


def test_a_long_title_without_the_words_is_cut_at_its_end(session, publish) -> None:
    publish("word " * 60, language="en", tags=["lemons"])
    found = match(session, "lemons")
    assert found.snippet.startswith("word word")
    assert len(found.snippet) <= SNIPPET_MAX
