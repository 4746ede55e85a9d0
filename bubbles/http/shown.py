"""How values are shown on pages. Every function is total: whatever a record holds, the page stands.

What reads differently from language to language takes the texts of the page, `t`, after the value.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

from babel.dates import format_date

from bubbles.http.languages import Texts
from bubbles.model.texts import primary_subtag

PEAK_MAX = 255
WAVE_HEIGHT = 100
WAVE_BAR = 0.62
"""Share of a bar's step that is drawn."""

DAY = "d MMMM y"


def language(tag: str, t: Texts) -> str:
    """The name of a language in the language of the page: `pt-BR` is Portuguese; an unknown one is its tag."""
    names: Any = t.locale.languages
    return str(names.get(primary_subtag(tag), tag))


def calendar_day(moment: date, t: Texts) -> str:
    """A day, or the day of a moment in UTC, in the language of the page: `22 novembre 2026`."""
    return str(format_date(moment, DAY, locale=t.locale))


def name(told: dict[str, Any], t: Texts) -> str:
    """What a bubble is called: its title, else by its channel."""
    return str(told["title"] or t("player.untitled", channel=told["channel"]["title"]))


def clock(duration_s: float) -> str:
    """75.2 is `1:15`; what is no duration is `0:00`."""
    whole = int(duration_s) if math.isfinite(duration_s) and duration_s > 0 else 0
    return f"{whole // 60}:{whole % 60:02}"


def seconds(position_s: float) -> str:
    """A position as it stands in an address: 12.0 is `12`, 12.345 is `12.35`."""
    return f"{position_s:.2f}".rstrip("0").rstrip(".") if math.isfinite(position_s) and position_s > 0 else "0"


def iso_duration(duration_s: float) -> str:
    """75.25 is `PT75.25S` (ISO 8601)."""
    return f"PT{seconds(duration_s)}S"


def day(time: str, t: Texts) -> str:
    """`2026-11-22T10:00:00Z` is `22 November 2026`, in UTC, or `22 novembre 2026`."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return time
    return format_date(moment.date(), DAY, locale=t.locale)


def local(url: str) -> str:
    """A link of ours from the root, so that it works at whatever address the page was opened."""
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def waveform(peaks: Sequence[int], bars: int = 200) -> str:
    """The outline of a waveform as an SVG path, `bars` wide and 100 high: a bar for each loudest of its peaks."""
    return "".join(
        f"M{bar:g} {(WAVE_HEIGHT - high) / 2:g}h{WAVE_BAR}v{high:g}h-{WAVE_BAR}z"
        for bar, high in enumerate(_heights(list(peaks), bars))
    )


def _heights(peaks: list[int], bars: int) -> Iterator[int]:
    for bar in range(bars):
        first = bar * len(peaks) // bars
        group = peaks[first : max((bar + 1) * len(peaks) // bars, first + 1)]
        yield max(4, round(max(group, default=0) / PEAK_MAX * WAVE_HEIGHT))


def marked(snippet: str, highlights: Sequence[Sequence[int]]) -> Iterator[tuple[str, bool]]:
    """A snippet in pieces, each with whether it matches; `highlights` are `[start, end)` in characters, in order."""
    at = 0
    for start, end in highlights:
        if at <= start < end <= len(snippet):
            yield snippet[at:start], False
            yield snippet[start:end], True
            at = end
    yield snippet[at:], False


SPOKEN = """
af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id
is it ja jv ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd
si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh
"""
"""Tags (BCP 47) of the languages that Whisper writes down."""


def languages_spoken(t: Texts, chosen: str = "") -> list[tuple[str, str]]:
    """Tags to choose from, the chosen one at any rate, and their names in the language of the page, in their order."""
    names = {tag: language(tag, t) for tag in SPOKEN.split()}
    if chosen:
        names.setdefault(chosen, f"{language(chosen, t)} ({chosen})")
    return sorted(names.items(), key=lambda pair: unicodedata.normalize("NFKD", pair[1]))
