"""The catalogues hold the same texts in every language, and every text for people is in them."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest
from babel import Locale
from jinja2 import Environment

from bubbles.errors import Code
from bubbles.http.languages import DEFAULT, LANGUAGES, read

WEB = Path(__file__).resolve().parents[2] / "web"
GROUPS = sorted(path.name for path in (WEB / "messages" / DEFAULT).glob("*.json"))
TEMPLATES = sorted((WEB / "pages").rglob("*.html"))
SCRIPTS = sorted(path for path in (WEB / "src").rglob("*.ts") if not path.name.endswith(".test.ts"))
TOLD = {"aria-label", "aria-description", "alt", "title", "placeholder", "aria-valuetext", "label"}
NAMES = {"Bubbles", "WhatsApp", "Facebook", "Telegram", "LinkedIn", "Bluesky", "Mastodon", "RSS", "QR"}
"""Names are the same in every language."""


def group(language: str, name: str) -> dict[str, object]:
    return json.loads((WEB / "messages" / language / name).read_text())


def places(message: object) -> set[str]:
    forms = message.values() if isinstance(message, dict) else [message]
    return {name for form in forms for _, name, _, _ in Formatter().parse(str(form)) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_groups(language):
    assert sorted(path.name for path in (WEB / "messages" / language).glob("*.json")) == GROUPS


@pytest.mark.parametrize("name", GROUPS)
def test_every_language_has_the_same_texts_with_the_same_places(name):
    first = {key: places(message) for key, message in group(DEFAULT, name).items()}
    for language in LANGUAGES:
        assert {key: places(message) for key, message in group(language, name).items()} == first


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_the_forms_of_their_language(language):
    needed = Locale.parse(language).plural_form.tags | {"other"}
    for message in read(WEB, language).groups([Path(name).stem for name in GROUPS]).values():
        if isinstance(message, dict):
            assert message.keys() >= needed & {"one", "other"}


@pytest.mark.parametrize("code", Code)
def test_every_refusal_is_told_on_a_page(code):
    texts = read(WEB, DEFAULT)
    assert texts(f"errors.{code}_title") and texts(f"errors.{code}")


def used(path: Path) -> set[str]:
    return set(re.findall(r"""\b(?:t|text|t\.html)\(\s*["'](\w+\.\w+)["']\s*[,)]""", path.read_text()))


@pytest.mark.parametrize("path", [*TEMPLATES, *SCRIPTS], ids=lambda path: path.name)
def test_every_text_that_is_used_is_there(path):
    texts = read(WEB, DEFAULT)
    assert {key for key in used(path) if not texts.has(key)} == set()


class Told(HTMLParser):
    """The texts of a template that a person reads: what stands between tags, and what attributes tell."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in {"script", "style", "code"}
        self.found += [value for name, value in attrs if name in TOLD and value]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in {"script", "style", "code"}

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.found.append(data)


def told_outside(path: Path) -> set[str]:
    """Words of a template that no catalogue holds: in its markup, and in the strings of its expressions."""
    markup, strings = [], []
    expression: list[tuple[str, str]] = []
    for _, kind, value in Environment(autoescape=True).lex(path.read_text()):
        if kind == "data":
            markup.append(value)
        elif kind in {"variable_begin", "block_begin"}:
            expression = []
        elif kind in {"variable_end", "block_end"}:
            strings += [text for token, text in expression if token == "string" and re.search(r"\w{2,} \w", text)]
            markup.append("\ue000")
        elif kind != "whitespace":
            expression.append((kind, value))
    reader = Told()
    reader.feed("".join(markup))
    words = {word for text in reader.found for word in re.findall(r"[^\W\d_]{2,}", text)} - NAMES
    return words | set(strings)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_stands_in_a_template(path):
    assert told_outside(path) == set()


PIECES = re.compile(
    r"""
    //[^\n]* | /\*.*?\*/ |
    (?P<before>[\w.]*) (?:<[\w\ |]+>)? \(?
    (?P<string> "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*' | `(?:\\.|[^`\\])*` )
    """,
    re.DOTALL | re.VERBOSE,
)
NOT_FOR_PEOPLE = re.compile(r"Error$|[sS]elector(All)?$|\b(find|closest|matches|matchMedia)$")
"""What is called with a text for programmers, or with a selector."""


def sentences(script: str) -> list[str]:
    """The strings of a script in which two words follow each other."""
    strings = [
        piece["string"]
        for piece in PIECES.finditer(script)
        if piece["string"] and not NOT_FOR_PEOPLE.search(piece["before"] or "")
    ]
    return [string for string in strings if re.search(r"[^\W\d_]{2,},? [^\W\d_]{2,}", string)]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_text_stands_in_a_script(path):
    assert sentences(path.read_text()) == []


def test_a_text_in_a_script_is_seen():
    assert sentences("notice.textContent = 'The sound did not come.'; // a comment of words") == [
        "'The sound did not come.'"
    ]
    assert sentences("throw new Error('a bug of ours'); find('ul li'); text('player.failed')") == []


BUILT = re.compile(r"""["'`](?P<start>\w+\.\w*)(?:["']\s*~|\$?\{)""")
"""A key that is made of parts: `"group.start_" ~ part`, `f"group.start_{part}"`, or the same in a script."""


def unused(groups: dict[str, list[str]], sources: str) -> set[str]:
    """The keys that no source names.

    One that is made of parts passes where its start is named, or, in a group whose names are parts, where a source has
    the word that its name begins with.
    """
    named = set(re.findall(r"\w+\.\w+", sources))
    starts = {match["start"] for match in BUILT.finditer(sources)}
    words = set(re.findall(r"""["'`](\w+)["'`]""", sources))

    def is_built(key: str) -> bool:
        group, _, name = key.partition(".")
        if any(key.startswith(start) for start in starts if not start.endswith(".")):
            return True
        pieces = name.split("_")
        return f"{group}." in starts and any("_".join(pieces[:count]) in words for count in range(1, len(pieces) + 1))

    keys = {f"{group}.{name}" for group, names in groups.items() for name in names}
    return {key for key in keys - named if not is_built(key)}


def test_every_text_that_is_there_is_used():
    paths = [*TEMPLATES, *SCRIPTS, *(WEB.parent / "bubbles").rglob("*.py")]
    sources = "\n".join(path.read_text() for path in paths)
    assert unused({Path(name).stem: list(group(DEFAULT, name)) for name in GROUPS}, sources) == set()


def test_a_text_that_nothing_uses_is_seen():
    sources = """t("walk.start"), text(`walk.${wind}`), f"walk.lost_{why}", ["ne"]"""
    assert unused({"walk": ["start", "ne", "lost_denied", "looking"]}, sources) == {"walk.looking"}
