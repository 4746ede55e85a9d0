"""Pictures of the pages, phone and desktop, light and dark, with the bubbles of `bubbles demo`.

python -m tests.browser.screenshots              those that the documents show, as WebP, into docs/screens
python -m tests.browser.screenshots FOLDER       all of them, in both languages, as PNG
python -m tests.browser.screenshots FOLDER map   those whose name holds a word
"""

import base64
import itertools
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import launched
from tests.browser.pages import PAGES, Shown, arrive, at
from tests.browser.spoken import recorded
from tests.browser.stage import GENEROUS, Stage, by_invitation, off_air
from tests.browser.visitor import DESKTOP, PHONE, Visitor
from tests.conftest import CHECKOUT
from tests.journey.service import running

DOCUMENTED = CHECKOUT / "docs" / "screens"
SHOWN = (
    *("home", "search, found", "map", "walk", "share", "embed", "profile"),
    *("record", "record, taken", "studio", "studio, a bubble", "studio, a bubble that failed", "account", "sign up"),
)
"""The pages that the documents show."""

KINDS = {"phone": PHONE, "desktop": DESKTOP}
THEMES = ("light", "dark")
QUALITY = 70
FULL_MAX_PX = 2400
FOUND = Shown("search, found", "/search", at("/search?q=goats+grass&near=Paris"), holds=".distance")
"""What is found of the demo's bubbles."""

AUTHOR, TITLE = "nadia-on-the-corner", "The goats of Belleville"


@contextmanager
def demonstrated(folder: Path) -> Iterator[Stage]:
    """A service with the demo's bubbles, the goats' first."""
    with running(folder, **GENEROUS) as service:
        service.command("demo", timeout_s=900)
        with service.client() as client:
            told = client.get("/api/bubbles", params={"limit": 100}).json()["items"]
        told.sort(key=lambda each: each["title"] != TITLE)
        yield Stage(service, recorded(folder).path, author=AUTHOR, told=told)


def picture(browser: Browser, shown: Shown, stage: Stage, path: Path, **wishes: Any) -> None:
    """One picture: of the first screen when it is for the documents, else of the whole page."""
    visitor = Visitor(browser.new_context(base_url=stage.origin, reduced_motion="reduce", **wishes))
    arrive(visitor, shown, stage)
    visitor.page.wait_for_load_state("networkidle")
    visitor.page.evaluate("document.fonts.ready")
    visitor.page.evaluate("scrollTo(0, 0)")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        height_px = min(visitor.page.evaluate("document.documentElement.scrollHeight"), FULL_MAX_PX)
        clip = {"x": 0, "y": 0, "width": wishes["viewport"]["width"], "height": height_px}
        visitor.page.screenshot(path=path, full_page=True, clip=clip, scale="css")
    else:
        _webp(visitor, path)
    visitor.context.close()


def _webp(visitor: Visitor, path: Path) -> None:
    asked = {"format": "webp", "quality": QUALITY}
    taken = visitor.context.new_cdp_session(visitor.page).send("Page.captureScreenshot", asked)
    path.write_bytes(base64.b64decode(taken["data"]))


def file_name(*words: str) -> str:
    """Words as a file's name."""
    return "-".join("".join(c if c.isalnum() else " " for c in " ".join(words)).split())


def wishes(documented: bool) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Who looks: the words for the file's name, and what the visitor is."""
    for kind, theme, locale in itertools.product(KINDS, THEMES, ("en",) if documented else ("en", "fr")):
        words = (kind, theme) if documented else (kind, theme, locale)
        yield words, KINDS[kind] | {"color_scheme": theme, "locale": locale}


def write_index() -> None:
    """The page on which the documents' pictures stand beside each other."""
    looks = list(itertools.product(KINDS, THEMES))
    head = ["page", *(", ".join(look) for look in looks)]
    lines = ["# The pages, as they look", "", *(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head)))]
    for name in SHOWN:
        shown = (f"![{name}: {', '.join(look)}]({file_name(name, *look)}.webp)" for look in looks)
        lines.append(f"| {' | '.join([name, *shown])} |")
    note = "Made by `python -m tests.browser.screenshots` with the bubbles of `bubbles demo`."
    (DOCUMENTED / "README.md").write_text("\n".join([*lines, "", note, ""]))


def main(folder: Path, word: str) -> None:
    """Takes the pictures."""
    documented = folder == DOCUMENTED
    pages = [FOUND if shown.name == FOUND.name else shown for shown in PAGES]
    wanted = [shown for shown in pages if (shown.name in SHOWN if documented else word in shown.name)]
    with tempfile.TemporaryDirectory() as parent, sync_playwright() as playwright, launched(playwright) as browser:
        house = Path(parent)
        with (
            demonstrated(house / "stage") as stage,
            off_air(house, recorded(house)) as quiet,
            by_invitation(house / "club") as club,
        ):
            of = {"stage": stage, "quiet": quiet, "club": club}
            for shown, (words, wish) in itertools.product(wanted, wishes(documented)):
                path = folder / f"{file_name(shown.name, *words)}{'.webp' if documented else '.png'}"
                picture(browser, shown, of[shown.of], path, **wish)
                print(path, path.stat().st_size, flush=True)
    if documented:
        write_index()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENTED, sys.argv[2] if len(sys.argv) > 2 else "")
