"""A second try for a test in a real browser: on a machine that is busy, sound and frames may come too late once.

A test that fails twice fails; one that needed its second try is named at the end, with what went wrong at first. A test
marked `once` has none: what it holds ("exactly one", "nothing finer") may not be wrong one time in ten either.
"""

import pytest
from _pytest.runner import runtestprotocol

FAILED = pytest.StashKey[bool]()
"""Whether the try under way has failed."""

needed: dict[str, str] = {}
"""What went wrong in the first try of a test that had a second."""


def tried(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Runs a test, and once more if it failed and may; what is told is the last try."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    failures = [report for report in reports if report.failed]
    if failures and item.get_closest_marker("once") is None:
        needed[item.nodeid] = "\n".join(f"{report.when}: {report.longreprtext}" for report in failures)
        item.stash[FAILED] = False
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)


def summarise(reporter: pytest.TerminalReporter) -> None:
    """Names the tests that needed their second try, and what went wrong in the first."""
    for nodeid, told in needed.items():
        reporter.section(f"SECOND TRY {nodeid}")
        reporter.write_line(told)
