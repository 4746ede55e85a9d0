"""Words into cues for reading."""

from hypothesis import given
from hypothesis import strategies as st

from bubbles.speech import reading
from bubbles.speech.reading import CHARS_MAX, DURATION_MAX_S, Word


def said(text: str, *, word_s: float = 0.3, start_s: float = 0.0) -> list[Word]:
    return [
        Word(start_s + at * word_s, start_s + (at + 1) * word_s, f" {word}") for at, word in enumerate(text.split())
    ]


def texts(words: list[Word]) -> list[str]:
    return [cue.text for cue in reading.cues(words, unsure=False)]


def test_a_cue_ends_with_its_sentence() -> None:
    assert texts(said("This is the first of them. And this is the second one.")) == [
        "This is the first of them.",
        "And this is the second one.",
    ]


def test_short_sentences_share_a_cue() -> None:
    assert texts(said("Yes. No. I see. All right.")) == ["Yes. No. I see. All right."]


def test_a_pause_ends_a_cue() -> None:
    assert texts(said("before it") + said("after it", start_s=5.0)) == ["before it", "after it"]


def test_a_long_sentence_is_parted_at_its_clause() -> None:
    long = "she went along the river until the bridge came in sight, and there she waited for the boat to come"
    assert texts(said(long, word_s=0.2)) == [
        "she went along the river until the bridge came in sight,",
        "and there she waited for the boat to come",
    ]


def test_cues_keep_the_times_of_their_words_and_the_doubt() -> None:
    first, second = reading.cues(said("This is the first of them. And a second."), unsure=True)
    assert (first.start_s, round(first.end_s, 3), round(second.start_s, 3)) == (0.0, 1.8, 1.8)
    assert first.unsure and second.unsure


def test_words_without_letters_make_no_cue() -> None:
    assert reading.cues([Word(0, 1, "  "), Word(1, 2, "\n")], unsure=False) == []


@given(
    st.lists(st.tuples(st.sampled_from(["a", "word", "sentence.", "clause,", "x" * 20]), st.floats(0, 3)), max_size=60)
)
def test_no_word_is_lost_and_no_cue_is_too_long(spoken: list[tuple[str, float]]) -> None:
    words, now_s = [], 0.0
    for text, length_s in spoken:
        words.append(Word(now_s, now_s + length_s, f" {text}"))
        now_s += length_s
    cues = reading.cues(words, unsure=False)
    assert " ".join(cue.text for cue in cues).split() == [text for text, _ in spoken]
    assert all(len(cue.text) <= CHARS_MAX for cue in cues)
    assert all(cue.end_s - cue.start_s <= DURATION_MAX_S for cue in cues if " " in cue.text)
    assert [cue.start_s for cue in cues] == sorted(cue.start_s for cue in cues)
