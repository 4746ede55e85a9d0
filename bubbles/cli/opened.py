"""What commands share: the house that the environment describes, and where is said what is not asked for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from sqlmodel import Session

from bubbles import logs
from bubbles.app import House, open_house
from bubbles.cli.sentences import sentence
from bubbles.config import Settings
from bubbles.db import bubbles, refusals
from bubbles.errors import Code, Refused
from bubbles.model.bubble import Bubble

INTERRUPTED = 130
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def house(*, migrate: bool = True, patient: bool = False) -> Iterator[House]:
    """The house that the environment describes; `patient`: waits for its database."""
    settings = Settings()
    logs.configure(settings.log_level)
    with open_house(settings, migrate=migrate, patient=patient) as opened:
        yield opened


@contextmanager
def as_service() -> Iterator[None]:
    """Has what ends a process that somebody else keeps running be a line of its log, like all that it says."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except Exception as error:
        told = sentence(error)
        if told is None or sys.stderr.isatty():
            raise
        unquoted = refusals.sentence(error, quoted=False) if isinstance(error, refusals.Error) else None
        logs.tell_end(unquoted or told)
        raise typer.Exit(1) from None


def bubble_of(session: Session, code: str) -> Bubble:
    """The bubble of a code, for the operator; raises `not_found`."""
    found = bubbles.by_code(session, code, account_id=None)
    if found is None:
        raise Refused(Code.NOT_FOUND, f"There is no bubble {code}.")
    return found[0]
