"""axe-core on a page as it stands."""

from typing import Any

from playwright.sync_api import Page

from tests.conftest import CHECKOUT

AXE = CHECKOUT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
RUN = "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)"


def violations(page: Page) -> list[str]:
    """What axe finds wrong by all the rules it knows, its best practices too, a line for each rule: its name, what it
    asks and the elements that fail it.
    """
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text())  # through the debugger, which no content policy holds back
    return [_line(each) for each in page.evaluate(RUN)]


def _line(violation: dict[str, Any]) -> str:
    elements = "; ".join(f"{node['target']} {node['html'][:120]}" for node in violation["nodes"][:5])
    return f"{violation['id']}: {violation['help']}: {elements}"
