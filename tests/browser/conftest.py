"""What the tests of the pages share. In short:

- `stage`: one real service for the folder, with three spoken bubbles; `quiet`: another without a worker, off air;
  `club`: another where accounts are by invitation and the operator has written all texts.
- `visit(...)`: a visitor with an open page, a profile of its own; `signed_in(...)`: one who has an account;
  `recorder_of(...)`: one who has the recorder open.
- `browser_hearing(wav)`: a browser whose microphone hears a WAV; hand it to `visit(browser=...)`.
- `spoken(...)`: such a WAV of real speech, with what is said.

Wait with locators, `expect`, or `visitor.until("js")`; never with `page.wait_for_function`, which our content policy
stops. A page that logs an error fails its test, unless `visit(allowed=[...])` says which are meant. A test that fails
leaves pictures of its pages in `.cache/browser/`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Playwright, expect, sync_playwright

from tests.browser import patience
from tests.browser.chromium import launched
from tests.browser.pages import sign_in
from tests.browser.recording import Recorder
from tests.browser.spoken import for_microphone, recorded
from tests.browser.stage import Stage, by_invitation, off_air, on_air
from tests.browser.visitor import PATIENCE_S, PHONE, Visitor
from tests.conftest import CHECKOUT, Speech

PICTURES = CHECKOUT / ".cache" / "browser"

expect.set_options(timeout=PATIENCE_S * 1000)


def pytest_configure(config: pytest.Config) -> None:
    """Names our marker."""
    config.addinivalue_line("markers", "once: has no second try, for what it holds may never be wrong")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Tells the fixtures whether the test failed."""
    report = yield
    item.stash[patience.FAILED] = item.stash.get(patience.FAILED, False) or report.failed
    return report


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="package")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A service with Whisper and three bubbles on the air, all ready, two of them English."""
    folder = tmp_path_factory.mktemp("stage")
    with on_air(folder, [recorded(folder, number) for number in range(3)]) as made:
        yield made


@pytest.fixture(scope="package")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A service where nothing is on the air and what was sent stays in preparation."""
    folder = tmp_path_factory.mktemp("quiet")
    with off_air(folder, recorded(folder)) as made:
        yield made


@pytest.fixture(scope="package")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A service where accounts are by invitation and the operator has written all texts."""
    with by_invitation(tmp_path_factory.mktemp("club")) as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """The test file's own browser. Its microphone beeps once a second."""
    with launched(playwright) as started:
        yield started


@pytest.fixture
def browser_hearing(playwright: Playwright) -> Iterator[Callable[[Path], Browser]]:
    """Browsers whose microphone hears a WAV, once, from the moment that it is opened."""
    with ExitStack() as started:
        yield lambda wav: started.enter_context(launched(playwright, wav))


@pytest.fixture
def spoken(tmp_path: Path) -> Callable[..., Speech]:
    """`spoken(number=0, lead_s=0.5, tail_s=1.0, length_s=None)`: a WAV for the microphone."""

    def made(number: int = 0, **shape: Any) -> Speech:
        return for_microphone(recorded(tmp_path, number), tmp_path / f"microphone-{number}.wav", **shape)

    return made


@pytest.fixture
def visit(request: pytest.FixtureRequest) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors: `visit()` is a phone in English, daylight, allowing nothing, at the stage's origin.

    Keywords: `kind` (PHONE, DESKTOP), `locale` ("en", "fr"), `theme` ("light", "dark"), `at` (latitude, longitude),
    `permissions` (["microphone"]), `allowed` (errors that are meant), `browser`, `origin`, and all that Playwright's
    `new_context` takes: `java_script_enabled`, `reduced_motion`, `storage_state`, ...
    """
    came: list[Visitor] = []

    def made(*, allowed: tuple[str, ...] = (), browser: Browser | None = None, **wishes: Any) -> Visitor:
        origin = wishes.pop("origin", None) or request.getfixturevalue("stage").origin
        context = (browser or request.getfixturevalue("browser")).new_context(base_url=origin, **_wishes(**wishes))
        context.set_default_timeout(PATIENCE_S * 1000)
        came.append(Visitor(context, list(allowed)))
        return came[-1]

    yield made
    if request.node.stash.get(patience.FAILED, False):
        _picture(request.node.name, came)
    complaints = [complaint for visitor in came for complaint in visitor.complaints()]
    for visitor in came:
        _close(visitor)
    assert complaints == []


def _wishes(
    *,
    kind: dict[str, Any] = PHONE,
    locale: str = "en",
    theme: str = "light",
    at: tuple[float, float] | None = None,
    permissions: tuple[str, ...] | list[str] = (),
    **others: Any,
) -> dict[str, Any]:
    """What the visitor is, as Playwright says it."""
    context = {"locale": locale, "color_scheme": theme, "permissions": list(permissions)} | kind | others
    if at is not None:
        context["geolocation"] = {"latitude": at[0], "longitude": at[1]}
        context["permissions"] = [*context["permissions"], "geolocation"]
    return context


def _picture(test: str, visitors: list[Visitor]) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    name = "".join(character if character.isalnum() else "-" for character in test)
    for number, page in enumerate(page for visitor in visitors for page in visitor.context.pages):
        try:
            page.screenshot(path=PICTURES / f"{name}-{number}.png", full_page=True, timeout=5_000)
        except Error as error:
            print(f"No picture of {page.url}: {error.message}")


def _close(visitor: Visitor) -> None:
    """Ends the profile; a browser that a test ended itself took it along."""
    try:
        visitor.context.close()
    except Error as error:
        print(f"Already gone: {error.message}")


@pytest.fixture
def signed_in(visit: Callable[..., Visitor], stage: Stage) -> Callable[..., Visitor]:
    """`signed_in(handle="", **visit)`: a visitor who used a one-time link; without a handle, of a new account."""

    def made(handle: str = "", **wishes: Any) -> Visitor:
        visitor = visit(**wishes)
        sign_in(visitor.page, stage, handle or stage.account())
        return visitor

    return made


@pytest.fixture
def recorder_of(visit: Callable[..., Visitor], quiet: Stage) -> Callable[..., Recorder]:
    """`recorder_of(handle="", of=quiet, before="", **visit)`: the recorder of someone who is signed in, where what is
    sent stays in preparation; without a handle, of a new account. `before` is a script that runs before the page's own.
    """

    def made(handle: str = "", *, of: Stage = quiet, before: str = "", **wishes: Any) -> Recorder:
        visitor = visit(origin=of.origin, **wishes)
        sign_in(visitor.page, of, handle or of.account())
        if before:
            visitor.page.add_init_script(before)
        return Recorder(visitor).open()

    return made


@pytest.fixture
def handle(quiet: Stage) -> str:
    """A new account's, where what is sent stays in preparation."""
    return quiet.account()


@pytest.fixture
def author(recorder_of: Callable[..., Recorder], handle: str) -> Recorder:
    """The recorder of that account, with a microphone."""
    return recorder_of(handle, permissions=["microphone"])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Tests of this folder have a second try, but those marked `once`."""
    if Path(__file__).parent not in item.path.parents:
        return None
    patience.tried(item, nextitem)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells of the tests that needed their second try."""
    patience.summarise(terminalreporter)
