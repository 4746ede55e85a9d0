"""Cues as files: WebVTT, SubRip and plain text.

Source of the rules: W3C WebVTT (https://www.w3.org/TR/webvtt1/). SubRip has no standard and no way to escape, so what
a player could read as markup is replaced by look-alikes there.

Every writer is total: whatever a cue holds, the output is well formed, and a text can never begin another cue.
"""

import html
import math
import re
from collections.abc import Iterable, Iterator

from bubbles.model.cue import Cue

# White space (line and paragraph separators are), control characters, lone surrogates and what XML forbids.
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_SRT_LOOKALIKES = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
_UNSURE_SRT = "[?] "


def to_vtt(cues: Iterable[Cue]) -> str:
    """The cues as a WebVTT file, in the order of their times; unsure ones are in a span of the class `unsure`."""
    blocks = (f"{_vtt_time(start)} --> {_vtt_time(end)}\n{_vtt_text(cue)}" for start, end, cue in _lines(cues))
    return "\n\n".join(["WEBVTT", *blocks]) + "\n"


def to_srt(cues: Iterable[Cue]) -> str:
    """The cues as a SubRip file; unsure ones begin with `[?]`."""
    return "\n".join(
        f"{number}\n{_srt_time(start)} --> {_srt_time(end)}\n{_marked(cue).translate(_SRT_LOOKALIKES)}\n"
        for number, (start, end, cue) in enumerate(_lines(cues), 1)
    )


def to_txt(cues: Iterable[Cue]) -> str:
    """The words alone, a line for each cue; unsure ones begin with `[?]`."""
    return "".join(f"{_marked(cue)}\n" for _, _, cue in _lines(cues))


def clean(text: str) -> str:
    """The text on one line: runs of white space and of characters that are not printable become one space."""
    return _UNPRINTABLE.sub(" ", text).strip(" ")


def _lines(cues: Iterable[Cue]) -> Iterator[tuple[int, int, Cue]]:
    """(start_ms, end_ms, cue with a clean text) of every cue that has words; ends are after starts."""
    for cue in sorted(cues, key=lambda cue: (_ms(cue.start_s), _ms(cue.end_s))):
        if text := clean(cue.text):
            start = _ms(cue.start_s)
            yield start, max(_ms(cue.end_s), start + 1), Cue(cue.start_s, cue.end_s, text, cue.unsure)


def _ms(time_s: float) -> int:
    return round(max(time_s, 0.0) * 1000) if math.isfinite(time_s) else 0


def _vtt_text(cue: Cue) -> str:
    escaped = html.escape(cue.text, quote=False)
    return f"<c.unsure>{escaped}</c>" if cue.unsure else escaped


def _marked(cue: Cue) -> str:
    return _UNSURE_SRT + cue.text if cue.unsure else cue.text


def _vtt_time(time_ms: int) -> str:
    minutes, milliseconds = divmod(time_ms, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _srt_time(time_ms: int) -> str:
    return _vtt_time(time_ms).replace(".", ",")
