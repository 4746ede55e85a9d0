"""Refusals that a form's page tells in words of its own, rather than by the code alone."""

from bubbles.errors import Code, Refused


class Told(Refused):
    """A refusal with the key of its text in the catalogue group of the page; `field` is the input it is about,
    `about` the handle that the text names.
    """

    def __init__(self, code: Code, key: str, *, field: str = "", about: str = "") -> None:
        super().__init__(code, "This form was not accepted.")
        self.key = key
        self.field = field
        self.about = about


def key_of(refused: Refused) -> str:
    """The key of the text that tells a refusal: its own, else its code."""
    return refused.key if isinstance(refused, Told) else str(refused.code)


def retry_headers(refused: Refused) -> dict[str, str]:
    """`Retry-After`, where a refusal passes by itself."""
    return {} if refused.retry_after_s is None else {"Retry-After": str(refused.retry_after_s)}


def retry_minutes(refused: Refused) -> int:
    """The same in whole minutes, for a person; 0 when it does not pass by itself."""
    return -(-(refused.retry_after_s or 0) // 60)
