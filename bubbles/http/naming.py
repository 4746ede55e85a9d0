"""What a town is called in a language: its own name, and its country's by CLDR."""

import unicodedata
from functools import lru_cache

from babel import Locale

from bubbles.http.languages import DEFAULT


def label(name: str, region: str | None, country: str, language: str) -> str:
    """`Lyon, France`, `Paris, TX, United States`."""
    return ", ".join(filter(None, (name, region, country_name(country, language))))


def country_name(code: str, language: str) -> str:
    """What an ISO 3166 code stands for; the code itself where nobody knows."""
    return str(Locale.parse(language).territories.get(code, code))


def countries(text: str, language: str) -> list[str]:
    """Codes of the countries whose code it is, or whose name begins so, in the language or in English."""
    asked = _folded(text)
    known = {**_codes(DEFAULT), **_codes(language)}
    return sorted({code for name, code in known.items() if name.startswith(asked) or code.casefold() == asked})


@lru_cache(maxsize=8)
def _codes(language: str) -> dict[str, str]:
    territories = Locale.parse(language).territories
    return {_folded(name): code for code, name in territories.items() if len(code) == 2 and code.isalpha()}


def _folded(text: str) -> str:
    """Without case and accents."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part)).strip()
