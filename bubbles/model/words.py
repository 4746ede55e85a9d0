"""What a word is, for search: the same for what was said, for what is asked, and for what is highlighted."""

import re
import unicodedata
from dataclasses import dataclass

WORD_MAX = 64
"""Characters of a word that count; none is longer, a web address without its dots may be."""

# Marks belong to the letter before them. Those of living scripts lie below U+1D00; re knows no class for them.
_MARKS = "".join(chr(code) for code in range(0x300, 0x1D00) if unicodedata.category(chr(code)).startswith("M"))
# Thai, Lao, Myanmar, Khmer, then Han and kana: written without spaces, so that each letter stands for itself, and a
# run of letters is looked for as a phrase.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
    "\u3005-\u3007\u3040-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_LETTER = r"[^\W_]"
_WORD = re.compile(rf"(?=[{_UNSPACED}]){_LETTER}[{_MARKS}]*|(?:(?![{_UNSPACED}]){_LETTER}[{_MARKS}]*)+")


@dataclass(frozen=True)
class Word:
    """A word of a text, in NFKC, cut at `WORD_MAX`, and where in the text it stands: `text[start:end]`."""

    text: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The words of a text, in order: runs of letters and digits, single letters where a script has no spaces."""
    return [Word(_plain(found[0]), found.start(), found.end()) for found in _WORD.finditer(text)]


def spaced(text: str) -> str:
    """The words of a text with one space between them: what PostgreSQL's parser takes apart as we do."""
    return " ".join(word.text for word in words_of(text))


def is_word(text: object) -> bool:
    """Whether this is text, and one word of it, no longer than words are kept."""
    return isinstance(text, str) and len(text) <= WORD_MAX and _WORD.fullmatch(text) is not None


def edits(word: str, other: str) -> int:
    """How many letters to insert, drop, replace or swap with their neighbour make one word of the other.

    The restricted Damerau-Levenshtein distance ("optimal string alignment").
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, start=1):
        before, above, row = row, before, [i]
        for j, theirs in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != theirs))
            if i > 1 and j > 1 and letter == other[j - 2] and word[i - 2] == theirs:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]


def _plain(word: str) -> str:
    return (word if word.isascii() else unicodedata.normalize("NFKC", word))[:WORD_MAX]
