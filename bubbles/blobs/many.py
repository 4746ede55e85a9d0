"""Many blobs, several at once."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

AT_ONCE = 8
BATCH = 500

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def many(run: Callable[[Item], Answer], items: Iterable[Item]) -> Iterator[tuple[Item, Answer]]:
    """Each item with its answer, in order. What one of them raises is raised, and what has not begun never does."""
    rest = iter(items)
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        while batch := list(islice(rest, BATCH)):
            yield from zip(batch, pool.map(run, batch), strict=True)
    finally:
        pool.shutdown(cancel_futures=True)
