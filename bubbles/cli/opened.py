"""What commands share: the house that the environment describes, and where is said what is not asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from sqlmodel import Session

from bubbles import logs
from bubbles.app import House, open_house
from bubbles.config import Settings
from bubbles.db import bubbles
from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble

errors = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def house(*, migrate: bool = True) -> Iterator[House]:
    """The house that the environment describes."""
    settings = Settings()
    logs.configure(settings.log_level)
    with open_house(settings, migrate=migrate) as opened:
        yield opened


def bubble_of(session: Session, code: str) -> Bubble:
    """The bubble of a code, for the operator; raises `not_found`."""
    found = bubbles.by_code(session, code, account_id=None)
    if found is None:
        raise Refused(Code.NOT_FOUND, f"There is no bubble {code}.")
    return found[0]
