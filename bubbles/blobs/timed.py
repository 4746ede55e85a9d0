"""Stop-watches on a store: how long each operation takes, and how it ends."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from bubbles import meters, spans
from bubbles.absences import ABSENCES
from bubbles.blobs.store import BlobStore
from bubbles.errors import Missing

OPERATIONS = ("put", "open_range", "size", "fetch", "delete", "sweep")
"""What is timed. `open_range` until its first chunk; lists last as long as whoever reads them."""

OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (KeyError, "absent"),
    (FileExistsError, "taken"),
    (Missing, "away"),
)
"""What an error says of the store; any other is `failed`."""

Store = TypeVar("Store", bound=BlobStore)


def timed(store: Store) -> Store:
    """The very store, each of its operations timed: whatever else it can do it still can."""
    for operation in OPERATIONS:
        setattr(store, operation, _watched(operation, getattr(store, operation)))
    return store


def _watched(operation: str, run: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(run)
    def watched(*arguments: Any, **named: Any) -> Any:
        with _timed(operation):
            result = run(*arguments, **named)
        return _whole(result) if operation == "open_range" else result

    return watched


@contextmanager
def _timed(operation: str) -> Iterator[None]:
    with meters.timed(meters.BLOB_S) as labels, spans.span(f"blob {operation}"):
        labels |= {"operation": operation, "outcome": "ok"}
        try:
            yield
            ABSENCES.worked("store")
        except BaseException as error:
            labels["outcome"] = next((word for kind, word in OUTCOMES if isinstance(error, kind)), "failed")
            raise


def _whole(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks as they come; one that does not is counted."""
    try:
        yield from chunks
    except (Missing, KeyError):
        meters.BLOB_BROKEN.inc()
        raise
