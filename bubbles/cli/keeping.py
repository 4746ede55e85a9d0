"""The commands that keep what is here, and nothing else: back up, restore and sweep."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from bubbles import chores
from bubbles.app import store_at
from bubbles.archive import OnProgress
from bubbles.cli.opened import errors, house

NoBlobs = Annotated[bool, typer.Option("--no-blobs", help="Without the sound: the store is kept by other means.")]


def back_up(
    folder: Annotated[Path, typer.Argument(help="A folder of its own, best on another machine's disk.")],
    keep: Annotated[int, typer.Option(min=1, help="How many backups stay, the newest ones.")] = 7,
    no_blobs: NoBlobs = False,
) -> None:
    """Back up database and sound while the service runs; only new sound is copied."""
    from bubbles import backup  # noqa: PLC0415 - not loaded for other commands

    with house() as opened, _progress("Sound") as report:
        made = backup.back_up(opened, folder, keep=keep, with_blobs=not no_blobs, on_progress=report)
    told = made.manifest
    sound = "no blobs" if no_blobs else f"{told.blobs} blobs, {made.copied} of them new"
    print(f"{made.name}: {told.bubbles} bubbles, {sound}.")
    _tell_absent(told.lost, "Rows name sound that is not in the store")


def sweep(
    orphans: Annotated[
        bool, typer.Option("--orphans", help="Delete sound that no row names, even if it is unusually much.")
    ] = False,
) -> None:
    """Remove now what crashes have left and nobody needs; it goes by itself within the day."""
    with house() as opened:
        with chores.told(opened, "sweep", by_hand=True) as swept:
            chores.sweep(opened, swept)
        with chores.told(opened, "orphans", by_hand=True) as found:
            chores.sweep_orphans(opened, found, however_many=orphans)
        with chores.told(opened, "discard", by_hand=True) as deleted:
            chores.discard(opened, deleted)
    removed = swept + found
    print("Removed:", ", ".join(f"{removed[kind]} {kind}" for kind in ("files", "recordings", "orphans")))
    if removed["orphans_kept"]:
        errors.print(f"No row names {removed['orphans_kept']} blobs: unusually many. Is the database the right one?")
        errors.print("If nothing of it is needed: bubbles sweep --orphans")
        sys.exit(1)


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder of the backups.")],
    name: Annotated[str, typer.Option("--set", help="Which backup, by its name; default: the newest.")] = "",
    no_blobs: NoBlobs = False,
    erasures: Annotated[str, typer.Option(help="URL of the former store: what was erased there stays erased.")] = "",
) -> None:
    """Restore a backup into an empty database and an empty store."""
    from bubbles import restore as verb  # noqa: PLC0415 - as above

    with house(migrate=False) as opened, _progress("Sound") as report:
        former = store_at(opened.settings, erasures, what="--erasures") if erasures else None
        done = verb.restore(opened, folder, name=name, with_blobs=not no_blobs, former=former, on_progress=report)
    print(f"{done.name} is restored: {done.manifest.bubbles} bubbles, {done.erased} of them erased again.")
    print("Everyone signs in again. A token that was revoked after the backup has to be revoked again.")
    _tell_absent(done.absent, "Rows name sound that is not there")


@contextmanager
def _progress(what: str) -> Iterator[OnProgress]:
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _tell_absent(keys: list[str], sentence: str) -> None:
    """Names what is lost, and ends with status 1 if anything is."""
    if keys:
        errors.print(f"{sentence}: {len(keys)}", *keys, sep="\n", markup=False)
        sys.exit(1)
