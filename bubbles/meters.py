"""Meters: what this process counts and times of itself, for Prometheus.

Labels hold words of ours alone, never anything about a person, and few of each. What is true of the whole house and
not of one process (the queue, the bubbles) is asked of the rows instead: `db/figures.py`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

# When each series began: a third more text, and nothing asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs

QUICK_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Upper bounds for what should take milliseconds."""

REQUESTS = Counter("bubbles_requests_total", "Requests by route and status.", ["route", "status"])
REQUEST_S = Histogram(
    "bubbles_request_seconds",
    "Seconds until an answer began, by route; how long a listener then takes is theirs.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
REFUSALS = Counter("bubbles_refusals_total", "Refusals by code.", ["code"])
UPLOADS = Gauge("bubbles_uploads_under_way", "Uploads that this process is receiving or judging.")
FORWARDED_IGNORED = Counter(
    "bubbles_forwarded_ignored_total",
    "Requests that named another address (X-Forwarded-For) from a peer that is not trusted: near, or on the Internet.",
    ["peer"],
)
BLOB_S = Histogram(
    "bubbles_blob_seconds",
    "Seconds that the store of blobs took, by operation and outcome; reading a range: until its first bytes.",
    ["operation", "outcome"],
    buckets=QUICK_S,
)
BLOB_BROKEN = Counter("bubbles_blob_broken_total", "Ranges that broke off after their first bytes.")
DATABASE_WAIT_S = Histogram(
    "bubbles_database_wait_seconds", "Seconds until a connection of the pool was at hand.", buckets=QUICK_S
)
TRANSACTION_S = Histogram(
    "bubbles_database_transaction_seconds",
    "Seconds that transactions took, waiting for a connection included.",
    ["outcome"],
    buckets=QUICK_S,
)


@contextmanager
def timed(histogram: Histogram) -> Iterator[dict[str, str]]:
    """Observes how long the block took, under the labels that the yielded dictionary holds at its end."""
    labels: dict[str, str] = {}
    began_s = time.perf_counter()
    try:
        yield labels
    finally:
        (histogram.labels(**labels) if labels else histogram).observe(time.perf_counter() - began_s)
