"""Legal: what the operator says of privacy, of the terms and of how to reach them, in Markdown files of their own.

The files are `NAME.md` and, for other languages, `NAME.LANGUAGE.md` in the folder of the settings. A file that is empty
says nothing.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

NAMES = ("privacy", "terms", "contact")
DEFAULT_LANGUAGE = "en"
LENGTH_MAX_BYTES = 512 * 1024
VERSION_LENGTH = 12
NO_TERMS = "none"
"""The version in force while the operator has written no terms."""


def written(folder: Path, name: str, language: str) -> tuple[str, str] | None:
    """The operator's text in that language, else in any other, and the language that it is in; None without one."""
    found = texts(folder, name)
    chosen = next((each for each in (language, DEFAULT_LANGUAGE, *sorted(found)) if each in found), None)
    return (found[chosen], chosen) if chosen else None


def terms_version(folder: Path) -> str:
    """What the terms in force are called: 12 hex digits of the SHA-256 of their text, in all its languages."""
    found = texts(folder, "terms")
    if not found:
        return NO_TERMS
    text = "\0".join(found[language] for language in sorted(found))
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_LENGTH]


def texts(folder: Path, name: str) -> dict[str, str]:
    """The text in each language in which there is one."""
    paths = {DEFAULT_LANGUAGE: folder / f"{name}.md"}
    paths |= {path.name.split(".")[1]: path for path in sorted(folder.glob(f"{name}.*.md"))}
    read = {language: _text(path) for language, path in paths.items()}
    return {language: text for language, text in read.items() if text.strip()}


def _text(path: Path) -> str:
    """What stands in a file; nothing where there is none."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return ""
    return _read(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=32)
def _read(path: Path, mtime_ns: int, length_bytes: int) -> str:  # noqa: ARG001 - another time or length is another text
    with path.open("rb") as file:
        return file.read(LENGTH_MAX_BYTES).decode(errors="replace")
