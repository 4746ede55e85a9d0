"""What commands share: the house that the environment describes, and where is said what is not asked for."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

from bubbles import logs
from bubbles.app import House, open_house
from bubbles.config import Settings

errors = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def house(*, migrate: bool = True) -> Iterator[House]:
    """The house that the environment describes."""
    settings = Settings()
    logs.configure(settings.log_level)
    with open_house(settings, migrate=migrate) as opened:
        yield opened
