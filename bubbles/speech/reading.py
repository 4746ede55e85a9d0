"""Words into cues that can be read while they are heard. Pure.

A cue is at most two lines of 42 characters and seven seconds, the usual measure of subtitles (BBC and Netflix
guidelines), and ends with a sentence or a pause where one is near.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bubbles.speech.vtt import Cue, clean

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
    return [cue for line in _lines(words) if (cue := _cue(line, unsure)).text]


def _lines(words: Sequence[Word]) -> Iterator[list[Word]]:
    line: list[Word] = []
    for word in words:
        if line and _is_full(line, word):
            head, line = _parted(line) if not _ends(line, word) else (line, [])
            yield head
        line.append(word)
    if line:
        yield line


def _is_full(line: list[Word], word: Word) -> bool:
    return _ends(line, word) or _chars([*line, word]) > CHARS_MAX or word.end_s - line[0].start_s > DURATION_MAX_S


def _ends(line: list[Word], word: Word) -> bool:
    """Whether the line is a sentence of its own, or a pause follows it."""
    sentence = line[-1].text.rstrip().endswith(_SENTENCE_ENDS) and _chars(line) >= CHARS_MIN
    return sentence or word.start_s - line[-1].end_s > PAUSE_S


def _parted(line: list[Word]) -> tuple[list[Word], list[Word]]:
    """The line broken after the last clause of its second half, else after its last word."""
    for at in range(len(line) - 1, len(line) // 2, -1):
        if line[at - 1].text.rstrip().endswith(_CLAUSE_ENDS):
            return line[:at], line[at:]
    return line, []


def _chars(line: Sequence[Word]) -> int:
    return sum(len(word.text) for word in line)


def _cue(line: Sequence[Word], unsure: bool) -> Cue:
    text = clean("".join(word.text for word in line))
    return Cue(line[0].start_s, max(word.end_s for word in line), text, unsure)
