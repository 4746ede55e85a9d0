"""Guards against invented text."""

from dataclasses import replace

import pytest

from bubbles.speech import guards
from bubbles.speech.guards import Passage, is_doubtful, unsure

REAL = Passage(
    "However, due to the slow communication channels,",
    duration_s=3.9,
    voice_s=3.2,
    word_probability=0.85,
    logprob=-0.3,
    no_speech_probability=0.02,
)


def test_ordinary_speech_is_sure() -> None:
    assert not is_doubtful(REAL)


@pytest.mark.parametrize(
    "doubt",
    [
        {"logprob": -1.2},
        {"word_probability": 0.2},
        {"no_speech_probability": 0.9, "logprob": -0.7},
        {"duration_s": 0.6},
        {"voice_s": 0.1},
    ],
    ids=lambda doubt: next(iter(doubt)),
)
def test_each_sign_alone_makes_it_doubtful(doubt: dict[str, float]) -> None:
    assert is_doubtful(replace(REAL, **doubt))


@pytest.mark.parametrize(
    "text",
    [
        "No, no, no, no, no, no, no.",
        "and so on and so on and so on and so on",
        "I want to go home. I want to go home. I want to go home.",
        "lalalalalalalalala",
        "ha ha ha ha ha ha",
        "the quick brown fox jumps over the lazy dog again " * 4,
        "我們去我們去我們去我們去我們去我們去我們去",
    ],
)
def test_a_loop_is_seen(text: str) -> None:
    assert guards.is_loop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No, no, no!",
        "I know, I know. It is what it is.",
        "We went from house to house and from door to door, and from door to door we heard the same story.",
        "one two three four five six seven eight nine ten",
        "Le match s'est terminé 4 à 4, et 4 à 4 n'est pas un mauvais résultat.",
    ],
)
def test_speech_that_repeats_itself_a_little_is_no_loop(text: str) -> None:
    assert not guards.is_loop(text)


def test_the_same_passage_again_and_again_is_doubtful() -> None:
    passages = [replace(REAL, text=text) for text in ("Hello there.", *["So it is."] * 3, "Good night.")]
    assert unsure(passages) == [False, True, True, True, False]
    assert unsure(passages[1:3]) == [False, False]


@pytest.mark.parametrize(
    "text",
    [
        "Sous-titres réalisés para la communauté d'Amara.org",
        "Sous-titrage ST' 501",
        "Untertitel der Amara.org-Community",
        "Untertitelung des ZDF, 2020",
        "Subtítulos realizados por la comunidad de Amara.org",
        "Legendas pela comunidade Amara.org",
        "Subtitles by the Amara.org community",
        "Transcription by CastingWords",
        "Субтитры создавал DimaTorzok",
    ],
)
def test_credits_of_subtitles_are_doubtful_however_clear(text: str) -> None:
    assert is_doubtful(replace(REAL, text=text, word_probability=0.99))


@pytest.mark.parametrize(
    "text", ["Je travaille dans le sous-titrage.", "Das kam gestern im ZDF.", "Please turn the subtitles off."]
)
def test_speaking_of_subtitles_is_no_credit(text: str) -> None:
    assert not guards.is_credit(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you.",
        "Thanks for watching!",
        "Merci d'avoir regardé cette vidéo.",
        "Vielen Dank.",
        "¡Gracias!",
        "Obrigado.",
    ],
)
def test_a_stock_phrase_is_sure_only_when_it_was_said_clearly(text: str) -> None:
    said = replace(REAL, text=text, duration_s=2.5, voice_s=2.0, word_probability=0.9)
    assert not is_doubtful(said)
    assert is_doubtful(replace(said, word_probability=0.5))
    assert is_doubtful(replace(said, voice_s=0.1))
    assert is_doubtful(replace(said, no_speech_probability=0.8))


def test_more_than_a_mouth_can_say_is_too_dense() -> None:
    assert not guards.is_too_dense("a" * 100, 4.0)
    assert guards.is_too_dense("a" * 100, 1.0)
    assert guards.is_too_dense("字" * 50, 1.0)


def test_no_passages_no_marks() -> None:
    assert unsure([]) == []
