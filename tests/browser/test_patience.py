"""A second try hides nothing: it is told with what went wrong, and who may not fail once has none."""

import re

import pytest

pytest_plugins = ["pytester"]

HOOKS = """
import pytest
from tests.browser import patience

def pytest_configure(config):
    config.addinivalue_line("markers", "once: as this test wishes")

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.stash[patience.FAILED] = item.stash.get(patience.FAILED, False) or report.failed
    return report

def pytest_runtest_protocol(item, nextitem):
    patience.tried(item, nextitem)
    return True

def pytest_terminal_summary(terminalreporter):
    patience.summarise(terminalreporter)
"""
TESTS = """
import pytest
from tests.browser.patience import FAILED

tries = {"late": 0, "race": 0}

@pytest.fixture
def tried(request):
    yield
    print(f"{request.node.name} failed: {request.node.stash.get(FAILED, False)}")

def test_late(tried):
    tries["late"] += 1
    assert tries["late"] == 2, "the sound came too late"

@pytest.mark.once
def test_race(tried):
    tries["race"] += 1
    assert tries["race"] == 2, "two bubbles"

def test_wrong(tried):
    assert False, "always wrong"
"""


def test_a_second_try_hides_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))
    pytester.makeconftest(HOOKS)
    pytester.makepyfile(TESTS)
    ran = pytester.runpytest_subprocess("-s", "-p", "no:cacheprovider")
    ran.assert_outcomes(passed=1, failed=2)
    printed = ran.stdout.str()
    seconds = printed.partition("SECOND TRY")[2].partition("short test summary")[0]
    assert "the sound came too late" in seconds
    assert "test_race" not in seconds
    late, race, wrong = (re.findall(rf"{name} failed: (\w+)", printed) for name in ("late", "race", "wrong"))
    assert (late, race, wrong) == (["True", "False"], ["True"], ["True", "True"])
