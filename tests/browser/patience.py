"""A second try for a test in a real browser: on a machine that is busy, sound and frames may come too late once.

A test that fails twice fails; one that needed its second try is named at the end.
"""

import pytest
from _pytest.runner import runtestprotocol

needed: list[str] = []


def tried(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Runs a test, and once more if it failed; what is told is the last try."""
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        needed.append(item.nodeid)
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
