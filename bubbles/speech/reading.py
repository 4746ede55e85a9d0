"""Words into cues that can be read while they are heard. Pure.

A cue is at most two lines of 42 characters and seven seconds, the usual measure of subtitles (BBC and Netflix
guidelines), and ends with a sentence or a pause where one is near.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from bubbles.model.cue import Cue
from bubbles.speech.vtt import clean

CHARS_MAX = 84
DURATION_MAX_S = 7.0
PAUSE_S = 1.0
# Shorter sentences share a cue.
CHARS_MIN = 25
_SENTENCE_ENDS = tuple(".!?…。！？")
_CLAUSE_ENDS = (*_SENTENCE_ENDS, *",;:—、，；：")


@dataclass(frozen=True)
class Word:
    """A word with the white space and punctuation that belong to it, and when it is said."""

    start_s: float
    end_s: float
    text: str


def cues(words: Sequence[Word], *, unsure: bool) -> list[Cue]:
    """The words of a passage, in order, as cues of a length for reading; none without text."""
    lines = [line for sentence in _sentences(words) for line in _parted(sentence)]
    return [cue for line in lines if (cue := _cue(line, unsure)).text]


def _sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The words until a pause, or until enough sentences for a cue have ended."""
    line: list[Word] = []
    for word in words:
        if line and _ends(line, word):
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def _ends(line: list[Word], word: Word) -> bool:
    sentence = line[-1].text.rstrip().endswith(_SENTENCE_ENDS) and _chars(line) >= CHARS_MIN
    return sentence or word.start_s - line[-1].end_s > PAUSE_S


def _parted(line: list[Word]) -> list[list[Word]]:
    """The line in parts that fit, broken near the middle, so that no part is a single last word."""
    fits = _chars(line) <= CHARS_MAX and line[-1].end_s - line[0].start_s <= DURATION_MAX_S
    if fits or len(line) == 1:
        return [line]
    at = _middle(line)
    return _parted(line[:at]) + _parted(line[at:])


def _middle(line: list[Word]) -> int:
    """Where to break: at the clause nearest to the middle if one ends in the middle half, else at the word."""
    before = list(accumulate(len(word.text) for word in line[:-1]))
    whole = _chars(line)
    breaks = {at: abs(chars - whole / 2) for at, chars in enumerate(before, 1)}
    clauses = [at for at, off in breaks.items() if off <= whole / 4 and line[at - 1].text.endswith(_CLAUSE_ENDS)]
    return min(clauses or breaks, key=breaks.__getitem__)


def _chars(line: Sequence[Word]) -> int:
    return sum(len(word.text) for word in line)


def _cue(line: Sequence[Word], unsure: bool) -> Cue:
    text = clean("".join(word.text for word in line))
    return Cue(line[0].start_s, max(word.end_s for word in line), text, unsure)
