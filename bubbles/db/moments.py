"""At which second a bubble says what was asked for."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from bubbles.db import terms
from bubbles.db.bubbles import Whole
from bubbles.db.search import spoken_language
from bubbles.db.terms import Asked
from bubbles.model.cue import Cue
from bubbles.model.words import Word, words_of

SNIPPET_MAX = 200
"""Characters of a snippet, its dots included."""
LEAD_MAX = 60
"""Characters of a snippet before the first word that was asked for."""
READ_MAX = 6_000
"""Characters of the sure cues that are looked through, a little more than a transcript holds: what one bubble says can
make no search slow that finds it."""
TITLE = 0
"""The title is the first of a bubble's texts, the sure cues follow."""


@dataclass(frozen=True)
class Match:
    """What was asked for, as it is said from the cue at `start_s` on; 0 where only the title or a tag holds it.

    `snippet` is plain text, of the title where it is not said. `highlights` are the `[from, to]` offsets in it, counted
    in Unicode code points, of the words asked for, in order and apart.
    """

    start_s: float
    snippet: str
    highlights: list[list[int]]


@dataclass(frozen=True)
class _Spot:
    """A word asked for: in which text, where in it, the how-manieth word of all, and what it stands for."""

    text: int
    word: Word
    position: int
    meant: set[str]


@dataclass(frozen=True)
class _Spoken:
    """A bubble's texts with their words."""

    configuration: str
    cues: list[Cue]
    texts: list[str]
    words: list[list[Word]]


def matches(session: Session, found: list[Whole], asked: Asked) -> list[Match]:
    """For each bubble its best moment: the first of the shortest runs of words that say most of what was asked."""
    all_spoken = [_spoken(whole) for whole in found]
    said = {
        (spoken.configuration, word.text.lower()) for spoken in all_spoken for words in spoken.words for word in words
    }
    meant = terms.words_asked_for(session, asked, said)
    return [_match(spoken, list(_spots(spoken, meant))) for spoken in all_spoken]


def _spoken(whole: Whole) -> _Spoken:
    cues = list(_sure(whole.transcript.cues)) if whole.transcript else []
    texts = [whole.bubble.title, *(cue.text for cue in cues)]
    configuration = terms.configuration_of(spoken_language(whole.bubble, whole.transcript))
    return _Spoken(configuration, cues, texts, [words_of(each) for each in texts])


def _sure(told: Iterable[dict[str, Any]]) -> Iterator[Cue]:
    """The sure cues from the first on, `READ_MAX` characters of them, each counted as one longer than it is."""
    left = READ_MAX
    for cue in (Cue(**each) for each in told if not each.get("unsure")):
        yield replace(cue, text=cue.text[:left])
        left -= len(cue.text) + 1
        if left <= 0:
            return


def _spots(spoken: _Spoken, meant: dict[tuple[str, str], set[str]]) -> Iterator[_Spot]:
    position = 0
    for text, words in enumerate(spoken.words):
        for word in words:
            position += 1
            if stands_for := meant.get((spoken.configuration, word.text.lower())):
                yield _Spot(text, word, position, stands_for)


def _match(spoken: _Spoken, spots: list[_Spot]) -> Match:
    run = _shortest_run([spot for spot in spots if spot.text != TITLE])
    first, last = (run[0].text, run[-1].text) if run else (TITLE, TITLE)
    start_s = spoken.cues[first - 1].start_s if run else 0.0
    shown, highlights = "", []
    for text in range(first, last + 1):
        shown += " " * bool(shown)
        at = len(shown)
        highlights += [(at + spot.word.start, at + spot.word.end) for spot in spots if spot.text == text]
        shown += spoken.texts[text]
    return Match(start_s, *_cut(shown, _joined(highlights)))


def _shortest_run(spots: list[_Spot]) -> list[_Spot]:
    """The first of the shortest runs that hold every meaning of the whole: a phrase is one where it is said."""
    meanings = {meaning for spot in spots for meaning in spot.meant}
    inside: Counter[str] = Counter()
    best: list[_Spot] = []
    first = 0
    for last, spot in enumerate(spots):
        inside.update(spot.meant)
        while inside.keys() == meanings and first <= last:
            if not best or spot.position - spots[first].position < best[-1].position - best[0].position:
                best = spots[first : last + 1]
            inside = inside - Counter(spots[first].meant)
            first += 1
    return best


def _joined(highlights: list[tuple[int, int]]) -> list[list[int]]:
    """Neighbours that touch are one: letters of a script without spaces."""
    joined: list[list[int]] = []
    for start, end in highlights:
        if joined and joined[-1][1] == start:
            joined[-1][1] = end
        else:
            joined.append([start, end])
    return joined


def _cut(shown: str, highlights: list[list[int]]) -> tuple[str, list[list[int]]]:
    """At most `SNIPPET_MAX` characters around the first highlight, dots where text was left out."""
    if len(shown) <= SNIPPET_MAX:
        return shown, highlights
    first = highlights[0][0] if highlights else 0
    start = shown.rfind(" ", 0, max(first - LEAD_MAX, 0)) + 1
    start = start if first - start < SNIPPET_MAX // 2 else first
    end = start + SNIPPET_MAX - 2
    before, after = "…" * (start > 0), "…" * (end < len(shown))
    moved = [[left - start + len(before), right - start + len(before)] for left, right in highlights if right <= end]
    return before + shown[start:end] + after, moved
