"""What a person asks for in words, as PostgreSQL is asked for it.

The language of the question is unknown, so it is taken for each language in turn: a document is matched against the
question as read in the document's own language (stems), or word for word (folded, in any language).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlmodel import Session

from bubbles.db import vocabulary
from bubbles.model.texts import primary_subtag
from bubbles.model.words import words_of

SIMPLE = "bubbles_simple"
"""The text search configuration that keeps every word as it is, folded."""
CONFIGURATIONS = {
    language: f"bubbles_{name}"
    for name, languages in {
        "arabic": "ar",
        "armenian": "hy",
        "basque": "eu",
        "catalan": "ca",
        "danish": "da",
        "dutch": "nl",
        "english": "en",
        "finnish": "fi",
        "french": "fr",
        "german": "de",
        "greek": "el",
        "hindi": "hi",
        "hungarian": "hu",
        "indonesian": "id",
        "irish": "ga",
        "italian": "it",
        "lithuanian": "lt",
        "nepali": "ne",
        "norwegian": "no nb nn",
        "portuguese": "pt",
        "romanian": "ro",
        "russian": "ru",
        "serbian": "sr",
        "spanish": "es",
        "swedish": "sv",
        "tamil": "ta",
        "turkish": "tr",
        "yiddish": "yi",
    }.items()
    for language in languages.split()
}
"""Text search configurations by primary language subtag: what every PostgreSQL from 15 on stems."""
_TERM = re.compile(r'(?P<minus>-?)"(?P<phrase>[^"]*)"?|(?P<chunk>[^\s"]+)')
_LEXEME = re.compile(r"'([^']+)'")


Near = dict[str, list[str]]
"""Words asked for, folded, each with the words near it."""


@dataclass(frozen=True)
class Term:
    """Words that must stand one after the other; or must not, when `unwanted`."""

    words: tuple[str, ...]
    unwanted: bool = False


@dataclass(frozen=True)
class Reading:
    """The question in one language: the tsquery, and what each of its wanted lexemes stands for."""

    tsquery: str
    lexemes: Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """The question as read in each text search configuration."""

    readings: Mapping[str, Reading]

    @property
    def tsqueries(self) -> dict[str, list[str]]:
        """Each different tsquery, and the configurations whose documents must match it."""
        found: dict[str, list[str]] = {}
        for configuration, reading in sorted(self.readings.items()):
            found.setdefault(reading.tsquery, []).append(configuration)
        return found

    @property
    def any_of(self) -> str:
        """The tsquery that every document matches which matches its own: what the index is asked."""
        return " | ".join(f"({tsquery})" for tsquery in self.tsqueries if tsquery)

    @property
    def is_empty(self) -> bool:
        """Whether nothing can match: there is no word in the question."""
        return not self.any_of


def alternatives(question: str) -> list[list[Term]]:
    """The terms of a question: all terms of any one of the alternatives, which `OR` in capitals parts.

    `l'école`, `porte-monnaie` and a run of Chinese are phrases, as if quoted. An open quote ends with the text.
    """
    found: list[list[Term]] = [[]]
    for part in _TERM.finditer(question):
        chunk = part["chunk"] or ""
        words = tuple(word.text for word in words_of(chunk or part["phrase"] or ""))
        if chunk == "OR":
            found.append([])
        elif words:
            found[-1].append(Term(words, unwanted=bool(part["minus"]) or chunk.startswith("-")))
    return [terms for terms in found if terms]


def configuration_of(language: str | None) -> str:
    """The text search configuration of a BCP 47 language."""
    return CONFIGURATIONS.get(primary_subtag(language), SIMPLE)


def ask(session: Session, question: str) -> Asked:
    """The question in each language that is stemmed.

    A language that knows only stop words in it is asked word for word alone, lest `the -market` find all without one.
    """
    rows = session.connection().execute(_ASK, {"question": _websearch(alternatives(question))})
    return Asked({row.configuration: Reading(row.tsquery, _lexemes(row.positive)) for row in rows})


_ASK = text(
    f"""
    SELECT cfgname AS configuration, CAST(matching AS text) AS tsquery, querytree(matching) AS positive
    FROM (
        SELECT cfgname, CASE WHEN querytree(stems) IN ('', 'T') THEN exact ELSE stems || exact END AS matching
        FROM (
            SELECT cfgname, websearch_to_tsquery(oid, :question) AS stems,
                websearch_to_tsquery('{SIMPLE}', :question) AS exact
            FROM pg_ts_config WHERE cfgname ^@ 'bubbles_' AND pg_ts_config_is_visible(oid)
        ) AS read
    ) AS asked
    """  # noqa: S608 - a constant
)


def _websearch(terms: list[list[Term]]) -> str:
    """The question with every term in quotes, so that PostgreSQL reads no syntax into a word."""
    return " OR ".join(" ".join(f'{"-" * t.unwanted}"{" ".join(t.words)}"' for t in each) for each in terms)


def _lexemes(tsquery: str) -> dict[str, str]:
    return {lexeme: lexeme for lexeme in _LEXEME.findall(tsquery)}


def near_words(session: Session, question: str) -> Near | None:
    """For each wanted word the words that a typo would have made it from; None when there are none."""
    near = vocabulary.near(session, _wanted(session, question))
    return near if any(near.values()) else None


def are_near(session: Session, question: str, content: object) -> bool:
    """Whether this is what `near_words` may have made of the question: as many words, as long, and no others."""
    return vocabulary.may_be_near(_wanted(session, question), content)


def _wanted(session: Session, question: str) -> list[str]:
    """The wanted words of a question, folded, each once."""
    wanted = {word for terms in alternatives(question) for term in terms if not term.unwanted for word in term.words}
    return sorted(set(_folded(session, wanted).values()))


def ask_near(session: Session, question: str, near: Near) -> Asked:
    """The question with the near words beside each wanted word, word for word whatever the language."""
    asked = alternatives(question)
    folded = _folded(session, {word for terms in asked for term in terms for word in term.words})
    tsquery = " | ".join(" & ".join(_near_term(term, folded, near) for term in terms) for terms in asked)
    lexemes = {lexeme: word for word in near for lexeme in (*near[word], word)}
    return Asked(dict.fromkeys({SIMPLE, *CONFIGURATIONS.values()}, Reading(tsquery, lexemes)))


def _near_term(term: Term, folded: dict[str, str], near: Near) -> str:
    words = [[folded[word], *([] if term.unwanted else near.get(folded[word], []))] for word in term.words]
    phrase = " <-> ".join("(" + " | ".join(_quoted(each) for each in choices) + ")" for choices in words)
    return f"!({phrase})" if term.unwanted else f"({phrase})"


def _quoted(lexeme: str) -> str:
    return "'" + lexeme.replace("\\", "\\\\").replace("'", "''") + "'"


def _folded(session: Session, words: set[str]) -> dict[str, str]:
    """Words as documents keep them word for word: without case and accents."""
    return {row.word: row.folded for row in session.connection().execute(_FOLD, {"words": sorted(words)})}


_FOLD = text("SELECT word, unaccent(lower(word)) AS folded FROM unnest(:words) AS word").bindparams(
    bindparam("words", type_=ARRAY(Text))
)


def words_asked_for(session: Session, asked: Asked, said: set[tuple[str, str]]) -> dict[tuple[str, str], set[str]]:
    """Of words said, each with the configuration of its document, those that are asked for, and what they stand for."""
    configurations, words = zip(*sorted(said), strict=True) if said else ((), ())
    rows = session.connection().execute(_LEXIZE, {"configurations": list(configurations), "words": list(words)})
    found = {}
    for configuration, word, lexemes in rows:
        reading = asked.readings[configuration]
        if meant := {reading.lexemes[lexeme] for lexeme in lexemes if lexeme in reading.lexemes}:
            found[configuration, word] = meant
    return found


_LEXIZE = text(
    f"""
    SELECT configuration, word, tsvector_to_array(
        to_tsvector(CAST(configuration AS regconfig), word) || to_tsvector('{SIMPLE}', word)
    ) FROM unnest(:configurations, :words) AS said (configuration, word)
    """  # noqa: S608 - a constant
).bindparams(bindparam("configurations", type_=ARRAY(Text)), bindparam("words", type_=ARRAY(Text)))
