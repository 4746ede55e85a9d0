"""No page has anything that axe objects to: every page of the URL table, in both themes and both languages."""

import pytest

from bubbles.http.routes import OPERATIONS
from tests.browser.axe import violations
from tests.browser.pages import FRAGMENTS, PAGES, arrive
from tests.browser.visitor import DESKTOP

pytestmark = pytest.mark.once

ANSWERED_SO = "responded with a status of 4"
"""What the browser logs of a page that is itself the answer to a mistake."""


def test_every_page_of_the_url_table_is_among_them():
    rows = {(row.method, row.path) for row in OPERATIONS if row.gives == "text/html"}
    assert {path for method, path in rows if method == "GET"} - FRAGMENTS == {shown.route for shown in PAGES} - {""}
    assert {path for method, path in rows if method != "GET"} == {shown.sends for shown in PAGES} - {""}


def test_axe_sees_what_is_wrong(visit):
    page = visit().page
    page.goto("/")
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=/assets/icon.svg><button></button>')"
    )
    assert {line.split(":")[0] for line in violations(page)} == {"image-alt", "button-name"}


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_axe_finds_nothing(request, visit, shown, locale):
    stage = request.getfixturevalue(shown.of)
    visitor = visit(origin=stage.origin, locale=locale, allowed=[ANSWERED_SO], reduced_motion="reduce")
    arrive(visitor, shown, stage)
    page = visitor.page
    assert page.locator("html").get_attribute("lang") == locale
    found = {"light": violations(page)}
    page.emulate_media(color_scheme="dark")
    found["dark"] = violations(page)
    if locale == "en":
        page.set_viewport_size(DESKTOP["viewport"])
        found["desktop"] = violations(page)
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(("system", "chosen"), [("light", "dark"), ("dark", "light")])
def test_axe_finds_nothing_in_a_theme_that_was_chosen(visit, system, chosen):
    visitor = visit(theme=system)
    page = visitor.page
    page.goto("/")
    page.locator(f"button[name=theme][value={chosen}]").click()
    visitor.until("(chosen) => document.documentElement.dataset.theme === chosen", chosen)
    assert violations(page) == []
