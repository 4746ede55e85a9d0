"""The commands about where sound is kept: move it to another store, and verify it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.progress import MofNCompleteColumn, Progress

from bubbles.blobs.moving import MovingStore
from bubbles.cli.opened import errors, house
from bubbles.errors import Code, Refused

blobs_app = typer.Typer(help="Where sound is kept.", no_args_is_help=True)


@blobs_app.command("move")
def move_blobs() -> None:
    """Copy all sound from BUBBLES_BLOB_URL_BEFORE to BUBBLES_BLOB_URL while the service runs."""
    from bubbles import chores, move  # noqa: PLC0415 - not loaded for other commands

    with house() as opened, _progress("Moving") as report:
        if not isinstance(opened.blobs, MovingStore):
            raise Refused(Code.CONFLICT, "Set BUBBLES_BLOB_URL_BEFORE to the former store, everywhere, and restart.")
        notes, workdir = opened.settings.data_dir / "moving", chores.workdir(opened)
        moved = move.move(opened.database, opened.blobs, notes=notes, workdir=workdir, on_progress=report)
    print(f"{moved.blobs} blobs are in {opened.settings.blobs.partition('?')[0]}, {moved.copied} of them copied now.")
    _tell(moved.lost, moved.spoiled)
    print(
        "Take BUBBLES_BLOB_URL_BEFORE away and restart. Then delete the former store: nothing purges it from then on."
    )


@blobs_app.command("check")
def check_blobs() -> None:
    """Read all sound that the database names and compare it with its SHA-256."""
    from bubbles import chores, verify  # noqa: PLC0415 - as above

    with house() as opened, _progress("Reading") as report:
        found = verify.verify(opened.database, opened.blobs, workdir=chores.workdir(opened), on_progress=report)
    print(f"{found.blobs} blobs read: {len(found.lost)} are lost, {len(found.spoiled)} are spoiled.")
    _tell(found.lost, found.spoiled)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=errors, transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _tell(lost: list[str], spoiled: list[str]) -> None:
    """Names what cannot be had, and ends with status 1 if anything is."""
    for keys, sentence in ((lost, "In no store"), (spoiled, "Other bytes than were put")):
        if keys:
            errors.print(f"{sentence}: {len(keys)}. Restore them from a backup:", *keys, sep="\n", markup=False)
    if lost or spoiled:
        sys.exit(1)
