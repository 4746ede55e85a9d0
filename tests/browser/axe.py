"""axe-core on a page as it stands."""

from typing import Any

from playwright.sync_api import Page

from tests.conftest import CHECKOUT

AXE = CHECKOUT / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
RUN = """(runOnly) => axe.run(document, { resultTypes: ["violations"], ...(runOnly.length ? { runOnly } : {}) })
  .then(({ violations }) => violations)"""
COLOUR = ("color-contrast", "link-in-text-block")


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong, a line for each rule: its name, what it asks and the elements that fail it.

    `rules` are those to go by; without any, all that axe knows, its best practices too.
    """
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(AXE.read_text())  # through the debugger, which no content policy holds back
    return [_line(each) for each in page.evaluate(RUN, list(rules))]


def _line(violation: dict[str, Any]) -> str:
    elements = "; ".join(f"{node['target']} {node['html'][:120]}" for node in violation["nodes"][:5])
    return f"{violation['id']}: {violation['help']}: {elements}"
