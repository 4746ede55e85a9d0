"""The words that documents hold, each once: where the word that was meant is looked for when one was mistyped.

Each word names one bubble that holds it. When that bubble lets go of the word another takes its place, or the word
goes: nothing stays here of what was withdrawn.
"""

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlmodel import Field, Session, SQLModel

from bubbles.model.columns import optional_reference
from bubbles.model.words import edits, is_word

LETTERS_MIN = 4
"""Shorter words have too many neighbours: each would stand for another word."""
LETTERS_OF_TWO_EDITS = 8
"""From this length on a word may hold two mistakes."""
LETTERS_MAX = 40
NEAR_MAX = 6
"""How many near words stand in for one."""
CANDIDATES_MAX = 200
SIMILARITY_MIN = 0.2
"""Share of trigrams in common: one wrong letter inside a word of four leaves a quarter."""
MISTYPED_MAX = 4
"""How many words of one question may be mistyped; the rest are taken as they are."""


class SearchWord(SQLModel, table=True):
    """A word as documents hold it: without case and accents."""

    __tablename__ = "search_word"

    word: str = Field(primary_key=True)
    bubble_id: int | None = optional_reference("bubble.id")


def learn(session: Session, bubble_id: int, words: str) -> None:
    """Takes in those words of a bubble's document, one space between them, that are new here."""
    bounds = {"least": LETTERS_MIN, "most": LETTERS_MAX}
    session.connection().execute(_LEARN, {"bubble_id": bubble_id, "words": words} | bounds)


def forget(session: Session, bubble_id: int) -> None:
    """Lets go of words that the bubble's document does not hold, after it was changed or removed."""
    session.connection().execute(_HAND_ON, {"bubble_id": bubble_id})
    session.connection().execute(_FORGET)


def near(session: Session, words: list[str]) -> dict[str, list[str]]:
    """For each of these folded words the words that differ by a mistake or two, the likeliest first, not itself."""
    mistyped = _mistyped(words)
    found: dict[str, list[str]] = {word: [] for word in words}
    if not mistyped:
        return found
    swaps = [(word, swapped) for word in mistyped for swapped in _swaps(word)]
    asked, swapped = [list(column) for column in zip(*swaps, strict=True)]
    session.connection().execute(_SET_SIMILARITY, {"least": str(SIMILARITY_MIN)})
    rows = session.connection().execute(_NEAR, {"words": mistyped, "asked": asked, "swapped": swapped})
    for asked_for, known in rows:
        found[asked_for].append(known)
    return {word: _likeliest(word, candidates) for word, candidates in found.items()}


def may_be_near(words: list[str], content: object) -> bool:
    """Whether `near` may have returned this for these words, whatever documents hold: so many, so long and so close."""
    if not isinstance(content, dict) or content.keys() != set(words):
        return False
    mistyped = _mistyped(words)
    return all(known == [] or (word in mistyped and _may_stand_for(word, known)) for word, known in content.items())


def _may_stand_for(word: str, known: object) -> bool:
    return (
        isinstance(known, list)
        and len(known) <= NEAR_MAX
        and all(is_word(each) for each in known)
        and sorted(known) == sorted(_likeliest(word, known))
    )


def _mistyped(words: list[str]) -> list[str]:
    """Those that are looked at."""
    return [word for word in words if _may_be_mistyped(word)][:MISTYPED_MAX]


def _may_be_mistyped(word: str) -> bool:
    """A number is not: the next one is another number."""
    return LETTERS_MIN <= len(word) <= LETTERS_MAX and not any(map(str.isdigit, word))


def _swaps(word: str) -> list[str]:
    """The word with two neighbours swapped, in every way: the mistake that leaves few trigrams in common."""
    return [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)]


def _likeliest(word: str, candidates: list[str]) -> list[str]:
    mistakes_max = 2 if len(word) >= LETTERS_OF_TWO_EDITS else 1
    mistakes = {known: edits(word, known) for known in candidates}
    close = [known for known in mistakes if 0 < mistakes[known] <= mistakes_max]
    return sorted(close, key=lambda known: (mistakes[known], known))[:NEAR_MAX]


_TEXTS: ARRAY[str] = ARRAY(Text)
_LEARN = text(  # sorted, so that two writers never wait for each other in a circle
    """
    INSERT INTO search_word (word, bubble_id)
    SELECT word, :bubble_id FROM unnest(tsvector_to_array(to_tsvector('bubbles_simple', :words))) AS word
    WHERE length(word) BETWEEN :least AND :most AND word !~ '[0-9]' ORDER BY word
    ON CONFLICT DO NOTHING
    """
)
_HAND_ON = text(
    """
    UPDATE search_word SET bubble_id = (
        SELECT other.bubble_id FROM search_document AS other
        WHERE other.lexemes @@ plainto_tsquery('bubbles_simple', word) LIMIT 1
    )
    WHERE bubble_id = :bubble_id AND NOT EXISTS (
        SELECT FROM search_document AS own
        WHERE own.bubble_id = :bubble_id AND own.lexemes @@ plainto_tsquery('bubbles_simple', word)
    )
    """
)
_FORGET = text("DELETE FROM search_word WHERE bubble_id IS NULL")
_LISTED = """(
    (SELECT listed FROM bubble WHERE bubble.id = bubble_id) OR EXISTS (
        SELECT FROM search_document JOIN bubble ON bubble.id = search_document.bubble_id
        WHERE bubble.listed AND lexemes @@ plainto_tsquery('bubbles_simple', word)
    )
)"""
"""Whether a listed bubble holds a known word: mostly the one that it names. Asked before anything is cut off, since
what is said in private is to show neither in a cursor nor by what it crowds out."""
_SET_SIMILARITY = text("SELECT set_config('pg_trgm.similarity_threshold', :least, true)")
_NEAR = text(
    f"""
    SELECT asked, word FROM unnest(:asked, :swapped) AS swap (asked, swapped) JOIN search_word ON word = swapped
    WHERE {_LISTED}
    UNION
    SELECT asked, word FROM unnest(:words) AS asked CROSS JOIN LATERAL (
        SELECT word FROM (
            SELECT word, bubble_id FROM search_word
            WHERE word % asked AND length(word) BETWEEN length(asked) - 2 AND length(asked) + 2
            ORDER BY similarity(word, asked) DESC
        ) AS alike WHERE {_LISTED} LIMIT :candidates
    ) AS close
    """  # noqa: S608 - constants
).bindparams(
    bindparam("words", type_=_TEXTS),
    bindparam("asked", type_=_TEXTS),
    bindparam("swapped", type_=_TEXTS),
    bindparam("candidates", CANDIDATES_MAX),
)
