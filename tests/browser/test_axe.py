"""No page has anything that axe objects to: every page of the URL table, in both themes and both languages."""

import pytest

from bubbles.http.routes import OPERATIONS
from tests.browser.axe import violations
from tests.browser.pages import FRAGMENTS, NEWCOMER, PAGES, Shown
from tests.browser.spoken import recorded
from tests.browser.stage import AUTHOR, Stage
from tests.browser.visitor import DESKTOP, PHONE, Visitor

THEMES = ("light", "dark")


@pytest.fixture(scope="module")
def stages(stage: Stage, quiet: Stage, tmp_path_factory) -> dict[str, Stage]:
    """The services by name; in the quiet one the author has sent a bubble that stays in preparation."""
    if not quiet.told:
        quiet.account(NEWCOMER)
        speech = recorded(tmp_path_factory.mktemp("speech"))
        quiet.told = [quiet.publish(speech, quiet.token(quiet.account(AUTHOR)), title="Not yet")]
    return {"stage": stage, "quiet": quiet}


@pytest.fixture(scope="module")
def cookies(stages) -> dict:
    """Whoever signed in stays so for the file."""
    return {}


@pytest.fixture
def arrive(visit, stages, cookies):
    """Opens a page in its state."""

    def arrived(shown: Shown, **wishes) -> Visitor:
        stage = stages[shown.of]
        allowed = [f"status of {shown.status}"] if shown.status != 200 else []
        visitor = visit(origin=stage.origin, allowed=allowed, reduced_motion="reduce", **wishes)
        if shown.by:
            visitor.page.goto(stage.link(shown.by))
            visitor.page.locator("main form[method=post] button[type=submit]").click()
        answer = visitor.page.goto(shown.address(stage))
        assert answer.status == shown.status
        visitor.page.locator(shown.holds).first.wait_for()
        if shown.by:
            visitor.page.locator("[data-fragment] form").first.wait_for()  # who is here comes after the page
        return visitor

    return arrived


def test_every_page_of_the_url_table_is_among_them():
    rows = {row.path for row in OPERATIONS if row.method == "GET" and row.gives == "text/html"}
    assert rows - FRAGMENTS == {shown.route for shown in PAGES} - {""}


def test_axe_sees_what_is_wrong(visit):
    page = visit().page
    page.goto("/")
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=/assets/icon.svg><button></button>')"
    )
    assert {line.split(":")[0] for line in violations(page)} == {"image-alt", "button-name"}


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("shown", PAGES, ids=lambda shown: shown.name)
def test_axe_finds_nothing(arrive, shown, locale):
    page = arrive(shown, kind=PHONE, locale=locale).page
    assert page.locator("html").get_attribute("lang") == locale
    found = {}
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        found[theme] = violations(page)
    if locale == "en":
        page.set_viewport_size(DESKTOP["viewport"])
        found["desktop"] = violations(page)
    assert {name: lines for name, lines in found.items() if lines} == {}
