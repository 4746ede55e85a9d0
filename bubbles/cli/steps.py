"""The commands about work to be done: list what waits and what was given up, and have it begun again."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bubbles import retry
from bubbles.cli.opened import bubble_of, errors, house
from bubbles.db import steps
from bubbles.model.step import Step
from bubbles.model.times import rfc3339

WIDTH = 200
"""Of what is printed into a pipe: nothing is cut off."""


def list_steps(
    failed: Annotated[bool, typer.Option("--failed", help="Only those that were given up.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, at most.")] = 100,
) -> None:
    """List the steps that wait, run or were given up, in the order of their turns."""
    table = Table("bubble", "step", "stands", "tries", "queued", "why", box=None)
    with house() as opened, opened.database.transaction() as session:
        for code, step in steps.unfinished(session, gave_up=failed, limit=limit):
            why = step.waiting_for or step.error or ""
            table.add_row(code, step.name, _stands(step), str(step.tries), rfc3339(step.queued_at), why)
    if not table.row_count:
        errors.print("No step was given up." if failed else "No step waits, runs or was given up.")
        return
    console = Console()
    (console if console.is_terminal else Console(width=WIDTH)).print(table)


def _stands(step: Step) -> str:
    if step.gave_up_at:
        return "given up"
    if step.started_at:
        return "running"
    return "put off" if step.waiting_for or step.error else "waiting"


def retry_steps(codes: Annotated[list[str], typer.Argument(metavar="CODE...", help="Bubbles.")]) -> None:
    """Begin again what was given up of bubbles, or is put off."""
    with house() as opened:
        for code in codes:
            with opened.database.transaction() as session:
                name = retry.retry(session, bubble_of(session, code), now=opened.now())
            print(f"{code} {name}")
