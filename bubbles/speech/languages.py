"""From the author's language tag to a code that Whisper knows. Pure."""

from collections.abc import Collection

from bubbles.model.texts import primary_subtag

# Tags of today or of old, and individual languages, for which Whisper has another code.
_SAME = {"nb": "no", "iw": "he", "in": "id", "jv": "jw", "fil": "tl", "cmn": "zh", "ji": "yi", "mo": "ro"}


def known(tag: str | None, codes: Collection[str]) -> str | None:
    """The code among `codes` for a BCP 47 tag, `pt` for `pt-BR`; None when Whisper does not know the language."""
    code = primary_subtag(tag)
    code = code if code in codes else _SAME.get(code, code)
    return code if code in codes else None
