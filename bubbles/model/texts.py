"""Texts that people send: bounded, valid in XML, without tricks, or refused with `bad_text`."""

import re
import unicodedata

from bubbles.errors import Code, Refused

# What XML 1.0 allows, less the bidirectional overrides that let a title rewrite the page around it.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,28}[a-z0-9])?")
_MARKS_IN_A_ROW_MAX = 8


def clean_line(text: str, *, what: str, length_max: int) -> str:
    """One line of text in NFC, spaces folded; at most `length_max` characters."""
    return clean_text(" ".join(text.split()), what=what, length_max=length_max)


def clean_text(text: str, *, what: str, length_max: int) -> str:
    """Text in NFC of at most `length_max` characters; raises `bad_text`, naming `what`."""
    text = unicodedata.normalize("NFC", text).strip()
    if len(text) > length_max:
        raise Refused(Code.BAD_TEXT, f"The {what} has {len(text)} characters; at most {length_max} are allowed.")
    if _FORBIDDEN.search(text):
        raise Refused(Code.BAD_TEXT, f"The {what} holds a control character.")
    if _has_piled_marks(text):
        raise Refused(Code.BAD_TEXT, f"The {what} piles up accents.")
    return text


def _has_piled_marks(text: str) -> bool:
    """Whether more combining marks follow each other than any script needs (they would paint over the page)."""
    run = 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > _MARKS_IN_A_ROW_MAX:
            return True
    return False


def clean_tags(tags: list[str], *, count_max: int, length_max: int) -> list[str]:
    """Lower-case tags without `#`, in order, each once; raises `bad_text` for too many or too long ones."""
    cleaned = [clean_line(tag.lstrip("# "), what="tag", length_max=length_max).casefold() for tag in tags]
    kept = list(dict.fromkeys(tag for tag in cleaned if tag))
    if len(kept) > count_max:
        raise Refused(Code.BAD_TEXT, f"There are {len(kept)} tags; at most {count_max} are allowed.")
    return kept


def clean_language(tag: str) -> str:
    """A BCP 47 language tag with its primary subtag in lower case (`pt-BR`); raises `bad_text`."""
    if not _LANGUAGE.fullmatch(tag):
        raise Refused(Code.BAD_TEXT, "The language must be a BCP 47 tag such as en or pt-BR.")
    primary, dash, rest = tag.partition("-")
    return primary.lower() + dash + rest


def clean_handle(handle: str) -> str:
    """A handle: 1 to 30 of a-z, 0-9, - and _, not at the ends; raises `bad_text`."""
    handle = handle.lower().removeprefix("@")
    if not _HANDLE.fullmatch(handle):
        raise Refused(Code.BAD_TEXT, "A handle has 1 to 30 of the characters a-z, 0-9, - and _, not at its ends.")
    return handle
