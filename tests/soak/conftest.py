"""What the repeats are given, and what they share with the crash points of tests/faults."""

import pytest

from tests.faults.conftest import bucket, grounds, sound, warm

__all__ = ["bucket", "grounds", "sound", "warm"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Only where this folder is named on the command line."""
    parser.addoption("--seed", type=int, default=1, help="what chooses flows and points")
    parser.addoption("--repeats", type=int, default=300, help="how often a house is killed, on a disk and in a bucket")
