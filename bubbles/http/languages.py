"""The languages of the pages: which one a request is answered in, and its texts from the catalogues.

A catalogue is a folder `web/messages/LANGUAGE` with a file for each group of texts: `{"key": "text with {name}"}`. A
text that counts is `{"one": ..., "other": ...}`, chosen by `count` with the language's plural rule (CLDR).
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale, negotiate_locale
from markupsafe import Markup
from starlette.requests import Request

from bubbles.http import auth

LANGUAGES = ("en", "fr")
DEFAULT = LANGUAGES[0]
COOKIE = "bubbles_language"
"""Set only when a person chooses; holds the choice and nothing else."""

ACCEPTED_MAX = 20

Message = str | dict[str, str]


def of(request: Request) -> str:
    """The language that was chosen, else the first one that the browser asks for and that there is."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    return asked(request)


def asked(request: Request) -> str:
    """The first language that the browser asks for and that there is, without a look at cookies."""
    wanted = _accepted(request.headers.get("accept-language", ""))
    return negotiate_locale(wanted, LANGUAGES, sep="-") or DEFAULT


def _accepted(header: str) -> list[str]:
    """The tags of an `Accept-Language`, most wanted first (RFC 9110, section 12.5.4)."""
    weighed = [_weighed(part) for part in header.split(",")[:ACCEPTED_MAX]]
    return [tag for weight, tag in sorted(weighed, key=lambda pair: -pair[0]) if weight > 0]


def _weighed(part: str) -> tuple[float, str]:
    tag, _, weight = part.strip().partition(";q=")
    try:
        return float(weight or 1), tag
    except ValueError:
        return 0, tag


def texts(request: Request, language: str = "") -> "Texts":
    """The texts in a language, else in that of the request."""
    return read(auth.house(request).settings.pages_dir, language or of(request))


class Texts:
    """The texts of one language. A key that is not there raises KeyError: it is a bug that tests find."""

    def __init__(self, language: str, messages: dict[str, Message]) -> None:
        self.language = language
        self.locale = Locale.parse(language)
        self._messages = messages

    def __call__(self, key: str, **values: Any) -> str:
        """`group.key` with its places filled."""
        return self._chosen(key, values).format(**values)

    def html(self, key: str, **values: Any) -> Markup:
        """The same for a text with markup in it; the values are escaped."""
        return Markup(self._chosen(key, values)).format(**values)  # noqa: S704 - the catalogue is ours

    def has(self, key: str) -> bool:
        """Whether there is such a text, for keys made of a stable code."""
        return key in self._messages

    def groups(self, names: list[str]) -> dict[str, Message]:
        """All texts of some groups, for the scripts of a page."""
        return {key: message for key, message in self._messages.items() if key.partition(".")[0] in names}

    def _chosen(self, key: str, values: dict[str, Any]) -> str:
        message = self._messages[key]
        if isinstance(message, str):
            return message
        form = self.locale.plural_form(values["count"])
        return message.get(form, message["other"])


@lru_cache(maxsize=8)
def read(pages_dir: Path, language: str) -> Texts:
    """The catalogue of a language."""
    messages: dict[str, Message] = {}
    for path in sorted((pages_dir / "messages" / language).glob("*.json")):
        group = json.loads(path.read_text())
        messages |= {f"{path.stem}.{key}": message for key, message in group.items()}
    return Texts(language, messages)
