"""Language tags."""

import pytest

from bubbles.speech import languages

CODES = ("en", "fr", "pt", "zh", "no", "he", "tl")


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("fr", "fr"),
        ("pt-BR", "pt"),
        ("EN_us", "en"),
        ("zh-Hant-TW", "zh"),
        ("nb-NO", "no"),
        ("iw", "he"),
        ("fil", "tl"),
        ("tlh", None),
        ("und", None),
        ("", None),
        (None, None),
    ],
)
def test_the_primary_subtag_decides(tag: str | None, code: str | None) -> None:
    assert languages.known(tag, CODES) == code
