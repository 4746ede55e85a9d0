"""Lighthouse on one address, as a phone: a run of its own browser."""

import json
import os
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.browser.chromium import flags, found
from tests.conftest import CHECKOUT

CLI = CHECKOUT / "tests" / "browser" / "node_modules" / "lighthouse" / "cli" / "index.js"
RUN_MAX_S = 240


def report(url: str, categories: Iterable[str], folder: Path) -> dict[str, Any]:
    """Lighthouse's report of the address in those categories, which lies in `folder` then."""
    path = folder / "report.json"
    command = [
        "node",
        str(CLI),
        url,
        "--quiet",
        "--no-enable-error-reporting",
        "--output=json",
        f"--output-path={path}",
        f"--only-categories={','.join(categories)}",
        f"--chrome-flags={' '.join(['--headless=new', *flags()])}",
    ]
    with TemporaryDirectory(prefix="lighthouse-") as scratch:  # where the path of a socket is not too long
        environment = os.environ | {"CHROME_PATH": found(), "TMPDIR": scratch}  # noqa: TID251 - a test's own child
        _run(command, environment)
    made: dict[str, Any] = json.loads(path.read_text())
    assert "runtimeError" not in made, made["runtimeError"]
    return made


def _run(command: list[str], environment: dict[str, str]) -> None:
    """Runs it in a group of its own, of which nothing is left afterwards."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    try:
        said, _ = process.communicate(timeout=RUN_MAX_S)
        assert process.returncode == 0, said
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def scores(made: dict[str, Any]) -> dict[str, int]:
    """The categories' scores, of 100."""
    return {name: round(category["score"] * 100) for name, category in made["categories"].items()}


def shortcomings(made: dict[str, Any]) -> list[str]:
    """The audits that are not passed whole, with the elements or addresses that they name."""
    weighed = {ref["id"] for category in made["categories"].values() for ref in category["auditRefs"] if ref["weight"]}
    audits = (made["audits"][name] for name in sorted(weighed))
    return [_line(audit) for audit in audits if audit["score"] is not None and audit["score"] < 1]


def _line(audit: dict[str, Any]) -> str:
    items = audit.get("details", {}).get("items", [])[:3]
    return f"{audit['id']} ({audit['score']}): {audit['title']} {json.dumps(items)[:300]}"
