"""Texts that have broken pages elsewhere, and what a page is made of, for comparison with a page of plain text."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from bubbles.model.cue import Cue

PLAIN = "plain words"

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "end of script": "</script><script>alert(1)</script>",
    "attribute": '" onmouseover="alert(1)" x="',
    "single quote": "' onfocus='alert(1)' autofocus='",
    "image": "<img src=x onerror=alert(1)>",
    "comment": "<!-- --> <!--",
    "end of title": "</title></textarea></style><h1>mine</h1>",
    "template": "{{ 7 * 7 }}{% raw %}${7*7}",
    "address": "javascript:alert(1)",
    "entity": "&lt;b&gt; &amp;amp; &#60;script&#62; &nosuch;",
    "cdata": "]]></svg><![CDATA[",
    "line separators": "one\u2028two\u2029three",
    "controls": "\x01\x08\x0b\x1b[31mred\x7f\x85",
    "right to left": "\u202egnp.exe \u2067 \u0645\u0631\u062d\u0628\u0627",
    "piled marks": "Z" + "\u0361\u0338" * 40,
    "astral": "😀 \U000e0041\U0010fffd",
    "cue timing": "00:00:01.000 --> 00:00:02.000",
    "new cue": "a\n\n00:00:03.000 --> 00:00:04.000\nb",
    "json": '\\", "x": {"$ref": "}',
    "query": "?a=b&c=%0d%0a%ff#t=1",
    "backslashes": "\\\\\\' OR 1=1; --",
    "nothing to see": "\u200b\u00ad\ufeff",
    "one long word": "W" * 200,
}

PLACES = ("title", "tag", "sure words", "unsure words", "language", "reason", "channel title")
"""Where a text of a bubble appears."""

PARAMETERS = ("q", "near", "radius_m", "bbox", "channel", "language", "tag", "since", "sort", "limit", "cursor")
"""Where a text of an address appears."""


def columns(place: str, text: str) -> dict[str, Any]:
    """How a text comes into a bubble, for every place but the channel's title."""
    return {
        "title": {"title": text},
        "tag": {"tags": [text]},
        "sure words": {"words": (Cue(0, 2, text), Cue(2, 4, PLAIN))},
        "unsure words": {"words": (Cue(0, 2, text, unsure=True), Cue(2, 4, PLAIN))},
        "language": {"language": text},
        "reason": {"held_reason": text},
        "channel title": {"title": ""},
    }[place]


@dataclass
class Page(HTMLParser):
    """A page as a browser takes it: `skeleton`, its elements with the names of their attributes; `text`; `values`."""

    skeleton: list[tuple[str, ...]] = field(default_factory=list)
    text: str = ""
    values: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skeleton.append((tag, *(name for name, _ in attrs)))
        self.values += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.skeleton.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.skeleton.append(("!", data))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, name: str) -> list[str]:
        """The values of an attribute, in order."""
        return [value for at, called, value in self.values if (at, called) == (tag, name)]


def parsed(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    return page


def folded(text: str) -> str:
    """Text with its white space folded, as a page shows it."""
    return " ".join(text.split())
