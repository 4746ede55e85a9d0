"""Texts that people send: bounded, valid in XML, without tricks, or refused with `bad_text`."""

import re
import unicodedata

from bubbles.errors import Code, Refused

# What XML 1.0 allows, less the bidirectional overrides that let a title rewrite the page around it.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")
# What takes no room (Unicode's Default_Ignorable_Code_Point, less the overrides above), spaces, and other blanks.
_UNSEEN = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2060-\u2065\u206a-\u206f\u2800\u3164"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]"
)
# Joiners, variation selectors and the letters of flags: after a letter or an emoji they say how it looks.
_SHAPING = re.compile("[\u200c\u200d\ufe00-\ufe0f\U000e0000-\U000e0fff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}")
_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,28}[a-z0-9])?")
_MARKS_IN_A_ROW_MAX = 8
_TAGS_SENT_MAX = 500
"""Equal ones and empty ones included: more than anybody types, and few enough to be cleaned one by one."""


def clean_line(text: str, *, what: str, length_max: int) -> str:
    """One line of text in NFC, spaces folded; at most `length_max` characters."""
    return clean_text(" ".join(text.split()), what=what, length_max=length_max)


def clean_text(text: str, *, what: str, length_max: int) -> str:
    """Text in NFC of at most `length_max` characters; raises `bad_text`, naming `what`.

    Nothing that cannot be seen stands at its ends, so that what looks empty is empty.
    """
    text = _seen(unicodedata.normalize("NFC", text))
    if len(text) > length_max:
        raise Refused(Code.BAD_TEXT, f"The {what} has {len(text)} characters; at most {length_max} are allowed.")
    if _FORBIDDEN.search(text):
        raise Refused(Code.BAD_TEXT, f"The {what} holds a control character.")
    if _has_piled_marks(text):
        raise Refused(Code.BAD_TEXT, f"The {what} piles up accents.")
    return text


def _seen(text: str) -> str:
    """From the first to the last character that can be seen, and what shapes the last."""
    start, end = 0, len(text)
    while start < end and (_UNSEEN.match(text, start) or _SHAPING.match(text, start)):
        start += 1
    while start < end and _UNSEEN.match(text, end - 1):
        end -= 1
    return text[start:end]


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
    if len(tags) > _TAGS_SENT_MAX:
        raise Refused(Code.BAD_TEXT, f"There are {len(tags)} tags; at most {count_max} are allowed.")
    plain = [_seen(tag).lstrip("# ") for tag in tags]
    cleaned = [clean_line(tag, what="tag", length_max=length_max).casefold() for tag in plain]
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


def primary_subtag(tag: str | None) -> str:
    """`pt` for `pt-BR`, and for `PT_br` as some write it; empty for None (RFC 5646, section 2.2.1)."""
    return (tag or "").replace("_", "-").partition("-")[0].lower()


def typed_handle(text: str) -> str:
    """A handle as a person typed it, less what makes no difference; what cannot be seen is none, which nobody has."""
    handle = text.strip().lower().removeprefix("@")
    return handle if handle.isprintable() else ""


def clean_handle(handle: str) -> str:
    """A handle: 1 to 30 of a-z, 0-9, - and _, not at the ends; raises `bad_text`."""
    handle = handle.lower().removeprefix("@")
    if not _HANDLE.fullmatch(handle):
        raise Refused(Code.BAD_TEXT, "A handle has 1 to 30 of the characters a-z, 0-9, - and _, not at its ends.")
    return handle
