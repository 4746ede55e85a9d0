"""A visitor: a browser profile of its own with one open page, watched for what it complains of and what it sends."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, WebError

from tests.journey.service import wait_for

PATIENCE_S = 60
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
LEFT_BEHIND = "Worker failed to load"
"""What the map says when its page is left while it loads."""

OWN_SCHEMES = {"data", "blob", "about"}


@dataclass
class Visitor:
    """`errors` are console errors and uncaught exceptions, less those that match one of `allowed`, in regular
    expressions; `requests` is all that left the browser, in order.
    """

    context: BrowserContext
    allowed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.context.on("console", self._said)
        self.context.on("weberror", self._raised)
        self.context.on("request", self._asked)
        self.page = self.context.new_page()

    def requested(self, pattern: str, method: str = "") -> list[Request]:
        """The requests whose address matches, of that method if one is named."""
        return [each for each in self.requests if re.search(pattern, each.url) and method in {"", each.method}]

    def strays(self, origin: str) -> list[str]:
        """The addresses asked outside our own origin."""
        urls = (each.url for each in self.requests if urlsplit(each.url).scheme not in OWN_SCHEMES)
        return [url for url in urls if not url.startswith(f"{origin}/")]

    def until(self, truth: str, arg: Any = None, page: Page | None = None) -> Any:
        """Waits until a JavaScript expression, or a function of `arg`, is true on the page; what it is then.

        `page.wait_for_function` cannot: it evaluates anew inside the page, which our content policy forbids.
        """
        return wait_for(lambda: self._now(truth, arg, page or self.page), timeout_s=PATIENCE_S)

    def seen(self, look: Callable[[], Any]) -> Any:
        """Waits until what the browser told us of itself makes `look` true; what that gives then."""
        return wait_for(lambda: self.page.evaluate("true") and look(), timeout_s=PATIENCE_S)  # only calls bring news

    def _now(self, truth: str, arg: Any, page: Page) -> Any:
        try:
            return page.evaluate(truth, arg)
        except Error as error:
            if "context was destroyed" in error.message:  # the page goes elsewhere: look there
                return None
            raise

    @contextmanager
    def offline(self) -> Iterator[None]:
        """No network inside the block; what the browser then complains of is no error."""
        self.allowed.append("ERR_INTERNET_DISCONNECTED")
        self.context.set_offline(True)
        try:
            yield
        finally:
            self.context.set_offline(False)

    def complaints(self) -> list[str]:
        """The errors that no pattern allows."""
        return [
            each
            for each in self.errors
            if not any(re.search(pattern, each) for pattern in [LEFT_BEHIND, *self.allowed])
        ]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def _asked(self, request: Request) -> None:
        self.requests.append(request)

    def _raised(self, raised: WebError) -> None:
        self.errors.append(f"uncaught: {raised.error}")
