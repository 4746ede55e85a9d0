"""Reads WebVTT as others do, to see what our files say to them."""

import html
import re

from bubbles.model.cue import Cue
from bubbles.speech.vtt import clean

_TIME = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"\s*{_TIME}\s+-->\s+{_TIME}(?:\s|$)")
_UNSURE_TAG = re.compile(r"<c(?:\.[^.\s<>]+)*\.unsure(?:\.[^.\s<>]+)*(?:\s[^>]*)?>")
_TAG = re.compile(r"<[^>]*>?")


def parse_vtt(text: str) -> list[Cue]:
    """The cues of a WebVTT file; a cue is unsure when a span of the class `unsure` is in it.

    Notes, styles, regions, identifiers and settings are left out, and so are cues without words or with broken
    times, as the standard asks. Raises ValueError for what is no WebVTT file.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not re.match(r"WEBVTT(?:[ \t\n]|$)", text):
        raise ValueError("not a WebVTT file: it does not begin with WEBVTT")
    blocks = re.split(r"\n{2,}", text)[1:]
    return [cue for block in blocks if (cue := _parse_block(block.strip("\n").split("\n")))]


def _parse_block(lines: list[str]) -> Cue | None:
    # The timing is the first line of a cue, or the second, under an identifier.
    for at, line in enumerate(lines[:2]):
        if "-->" in line:
            timing = _TIMING.match(line)
            return _cue(timing, "\n".join(lines[at + 1 :])) if timing else None
    return None


def _cue(timing: re.Match[str], payload: str) -> Cue | None:
    start_s, end_s = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
    text = clean(html.unescape(_TAG.sub("", payload)))
    if not text or end_s <= start_s:
        return None
    return Cue(start_s, end_s, text, unsure=bool(_UNSURE_TAG.search(payload)))


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, milliseconds = (int(part or 0) for part in parts)
    return (((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds) / 1000
