"""A mistyped word is found, after all that is found as it is typed."""

import pytest
from sqlmodel import Session, select

from bubbles import find
from bubbles.db import search
from bubbles.db.terms import near_words
from bubbles.db.vocabulary import SearchWord
from bubbles.find import Query
from bubbles.model.cue import Cue


def titles(session: Session, q: str, **conditions: object) -> list[str]:
    return [found.whole.bubble.title for found in find.find(session, Query(q=q, **conditions)).items]


@pytest.mark.parametrize(
    "typed",
    ["lihgthouse", "lighhouse", "lighthousse", "lighthouze", "ilghthouse", "lighthose keeper", "LIGHTHÔUZE"],
)  # fmt: skip
def test_a_typo_is_forgiven(session, publish, typed) -> None:
    publish("it", "the keeper of the lighthouse", language="en")
    publish("other", "the light is in the house", language="en")
    assert titles(session, typed) == ["it"]


@pytest.mark.parametrize("typed", ["makret", "amrket", "marke", "cfae", "cafè", "caffe"])
def test_a_typo_in_a_short_word_is_forgiven(session, publish, typed) -> None:
    publish("it", "le marché, the market, un café", language="en")
    assert titles(session, typed) == ["it"]


@pytest.mark.parametrize("typed", ["barket mall", "lemon 2025", "cat", "houselight"])
def test_another_word_is_not_a_typo(session, publish, typed) -> None:
    publish("it", "market of lemons in 2024, the car, a lighthouse", language="en")
    assert titles(session, typed) == []


def test_what_is_found_as_typed_hides_what_is_near(session, publish) -> None:
    publish("near", "the market", language="en")
    publish("typed", "the markek", language="en")
    assert titles(session, "markek") == ["typed"]


def test_near_words_are_taken_where_the_conditions_leave_none_as_typed(session, publish) -> None:
    publish("near", "the market", language="en", tags=["piran"])
    publish("typed", "the markek", language="en")
    assert titles(session, "markek", tags=("piran",)) == ["near"]


def test_phrases_and_unwanted_words_hold_for_near_words_too(session, publish) -> None:
    publish("row", "the old harbour", language="en")
    publish("apart", "the harbour is old and calm", language="en")
    assert titles(session, '"old harbuor"') == ["row"]
    assert titles(session, "harbuor -calm") == ["row"]
    assert set(titles(session, "harbuor -clam")) == {"row", "apart"}


def test_the_second_and_the_words_of_a_near_match_are_named(session, publish) -> None:
    publish("it", [find_cue(0, "good morning"), find_cue(7, "from the lighthouse of Piran")], language="en")
    match = find.find(session, Query(q="lihgthouse")).items[0].match
    assert match is not None
    assert (match.start_s, match.snippet) == (7, "from the lighthouse of Piran")
    assert [match.snippet[start:end] for start, end in match.highlights] == ["lighthouse"]


def find_cue(start_s: float, text: str) -> Cue:
    return Cue(start_s, start_s + 5, text)


def test_pages_of_near_matches_go_on_although_the_word_itself_appears_meanwhile(session, publish) -> None:
    for number in range(3):
        publish(f"near {number}", "the market", language="en")
    first = find.find(session, Query(q="markek", limit=2))
    publish("typed", "the markek", language="en")
    for letter in "abcdefgh":
        publish("crowd", f"marke{letter}", language="en")
    second = find.find(session, Query(q="markek", limit=100, cursor=first.next))
    seen = [found.whole.bubble.title for found in first.items + second.items]
    assert [title for title in seen if title.startswith("near")] == ["near 2", "near 1", "near 0"]


def test_words_said_in_private_are_near_to_nobody(session, publish) -> None:
    publish("private", "the lighthouse", language="en", visibility="private")
    assert near_words(session, "lihgthouse") is None
    publish("public", "the lighthouse", language="en")
    assert near_words(session, "lihgthouse") == {"lihgthouse": ["lighthouse"]}


@pytest.mark.parametrize(
    "hidden", [{"visibility": "private"}, {"visibility": "unlisted"}, {"playable_at": None}], ids=repr
)
def test_words_said_in_private_crowd_out_nothing(session, publish, hidden) -> None:
    """As many as would fill every bound, each likelier than the word that is listed."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    crowd = [f"{a}zebrafsh" for a in letters] + [f"zebrafsh{a}{b}" for a in letters for b in letters]
    publish("private", " ".join(crowd), language="en", **hidden)
    publish("it", "a zebrafish", language="en")
    assert near_words(session, "zebrafsh") == {"zebrafsh": ["zebrafish"]}
    assert titles(session, "zebrafsh") == ["it"]


def test_a_word_first_said_in_private_is_near_once_somebody_says_it_in_public(session, publish) -> None:
    publish("private", "the lighthouse", language="en", visibility="private")
    publish("public", "the lighthouse", language="en")
    assert near_words(session, "lighthouze") == {"lighthouze": ["lighthouse"]}


def test_a_word_stays_known_while_anyone_says_it_and_not_longer(session, publish) -> None:
    first, second = (publish("it", "the lighthouse", language="en") for _ in range(2))
    search.remove(session, first.id)
    assert session.exec(select(SearchWord.word)).all() == ["lighthouse"]
    search.remove(session, second.id)
    assert session.exec(select(SearchWord.word)).all() == []
