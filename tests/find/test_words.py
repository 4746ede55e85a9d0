"""Found by words: in any language, with or without accents, as a phrase, without a word."""

import pytest
from sqlmodel import Session

from bubbles import find
from bubbles.db import search
from bubbles.find import Query
from bubbles.model.cue import Cue


def titles(session: Session, q: str, **conditions: object) -> list[str]:
    return [found.whole.bubble.title for found in find.find(session, Query(q=q, **conditions)).items]


@pytest.mark.parametrize(
    ("language", "said", "asked"),
    [
        ("en", "They were running through the markets", "market run"),
        ("fr", "Les élèves chantaient dans les marchés", "élève chanter marché"),
        ("de", "Die alten Häuser stehen am Fluss", "Haus Flüsse"),
        ("es", "Las canciones de los pescadores", "canción pescador"),
        ("pt-BR", "As cidades antigas e os pescadores", "cidade pescador"),
        ("ru", "Старые города и книги", "город книга"),
        (None, "Hojemy na tórow", "torow"),
        ("xx", "Hojemy na tórow", "TÓROW"),
    ],
)
def test_a_word_is_found_in_the_forms_of_its_language(session, publish, language, said, asked) -> None:
    publish("it", said, language=language)
    publish("other", "nothing of the kind", language="en")
    assert titles(session, asked) == ["it"]
    assert titles(session, asked.upper()) == ["it"]


@pytest.mark.parametrize("language", ["fr", "en", None])
@pytest.mark.parametrize("asked", ["cafe creme", "CAFÉ Crème", "cafe\u0301 cre\u0300me", "ｃａｆｅ creme"])
def test_accents_and_case_make_no_difference(session, publish, language, asked) -> None:
    publish("it", "un Café crème", language=language)
    assert titles(session, asked) == ["it"]


def test_an_exact_word_is_found_whatever_the_language_makes_of_it(session, publish) -> None:
    publish("stop word", "it was the who", language="en")
    publish("of another tongue", "le weekend au camping", language="fr")
    assert titles(session, "the who") == ["stop word"]
    assert titles(session, "weekend camping") == ["of another tongue"]


def test_a_language_finds_by_its_own_stems_only(session, publish) -> None:
    publish("english", "they marched", language="en")
    publish("german", "they marched", language="de")
    assert titles(session, "marching") == ["english"]


def test_the_language_heard_counts_before_the_one_named(session, publish) -> None:
    publish("it", "les chevaux", language="en", heard="fr")
    assert titles(session, "cheval") == ["it"]
    assert titles(session, "", language="fr") == ["it"]


def test_unsure_words_are_not_found(session, publish) -> None:
    publish("it", [Cue(0, 1, "a lighthouse"), Cue(1, 2, "full of lemons", unsure=True)], language="en")
    assert titles(session, "lighthouse") == ["it"]
    assert titles(session, "lemons") == []
    assert titles(session, "lemosn") == []


def test_a_phrase_is_words_in_a_row(session, publish) -> None:
    publish("row", "we met at the old harbour", language="en")
    publish("apart", "the harbour is old", language="en")
    assert titles(session, '"old harbour"') == ["row"]
    assert titles(session, '"old harbour') == ["row"]
    assert set(titles(session, "old harbour")) == {"row", "apart"}


def test_a_phrase_never_reaches_from_the_title_into_the_words(session, publish) -> None:
    publish("The old", "harbour", language="en", tags=["new", "town"])
    assert titles(session, '"old harbour"') == []
    assert titles(session, '"old new"') == []


def test_a_phrase_may_span_two_cues(session, publish) -> None:
    publish("it", [Cue(0, 1, "we met at the old"), Cue(1, 2, "harbour of Piran")], language="en")
    assert titles(session, '"old harbour"') == ["it"]


def test_minus_leaves_out_and_or_takes_either(session, publish) -> None:
    for said in ("cats", "dogs", "cats and dogs"):
        publish(said, said, language="en")
    assert titles(session, "cat -dogs") == ["cats"]
    assert titles(session, 'dog -"cats and"') == ["dogs"]
    assert titles(session, "cats OR dogs", order=find.Sort.OLDEST) == ["cats", "dogs", "cats and dogs"]
    assert titles(session, "cats or dogs") == ["cats and dogs"]
    assert titles(session, "-cats", order=find.Sort.NEWEST) == ["dogs"]
    assert titles(session, "the -cats") == []


@pytest.mark.parametrize("asked", ["l'école", "l’école", "école", "porte-monnaie", '"porte monnaie"', "exemple.fr"])
def test_apostrophes_hyphens_and_dots_part_words(session, publish, asked) -> None:
    publish("it", "à l’école avec son porte-monnaie d'exemple.fr", language="fr")
    assert titles(session, asked) == ["it"]


@pytest.mark.parametrize(
    ("language", "said", "asked", "not_asked"),
    [
        ("zh", "我们在北京大学见面", "京大", "大京"),
        ("ja", "東京タワーに行きました", "タワー", "ワタ"),
        ("th", "กินข้าวที่ตลาด", "ข้าว", "วข้า"),
        (None, "我们在北京大学见面", "北京 见面", "南京"),
    ],
)
def test_scripts_without_spaces_are_found_by_any_part(session, publish, language, said, asked, not_asked) -> None:
    publish("it", said, language=language)
    assert titles(session, asked) == ["it"]
    assert titles(session, not_asked) == []


def test_titles_weigh_more_than_words_and_tags_between(session, publish) -> None:
    publish("title of lemons", "something else", language="en")
    publish("tag", "something else", language="en", tags=["lemons"])
    publish("said", "lemons and lemons and lemons", language="en")
    assert titles(session, "lemons") == ["title of lemons", "tag", "said"]


def test_a_change_replaces_what_was_found_before(session, publish) -> None:
    bubble = publish("Lighthouse", "the keeper", language="en")
    bubble.title = "Windmill"
    session.flush()
    search.index(session, bubble, None)
    assert titles(session, "windmill") == ["Windmill"]
    assert titles(session, "lighthouse") == titles(session, "keeper") == titles(session, "lighthosue") == []


def test_what_is_removed_is_found_by_nothing(session, publish) -> None:
    bubble = publish("Lighthouse", "the keeper", language="en")
    search.remove(session, bubble.id)
    assert titles(session, "lighthouse") == titles(session, "keeper") == titles(session, "keepre") == []


HOSTILE = [
    "\x00", "\ud800", "a\x00b", "'", '"', '""', "\\", "'; DROP TABLE bubble; --", "%", "_", "&", "|", "!", "a & | b",
    "((((", "<->", "a <-> b", "-", "--", '-"', "OR", "OR OR OR", "-OR", ":*", "a:*", "a:A", "\u202e", "💣", "1e309",
    "-" * 200, '"a ' * 66, "a OR " * 40, "-a " * 66, "\u0301" * 200, "ß" * 200, "北" * 200,
    "a'b\\c", "a\x1fb", "{}", "$1",
]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_breaks_a_search(session, publish, hostile) -> None:
    publish("it", "a quiet place", language="en")
    find.find(session, Query(q=hostile))
    publish(hostile.replace("\x00", "").replace("\ud800", ""), "nothing", language="en")
    find.find(session, Query(q=hostile))


def test_a_question_without_words_finds_nothing(session, publish) -> None:
    publish("it", "a quiet place", language="en")
    assert titles(session, "!?") == []
