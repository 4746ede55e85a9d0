"""How quickly the pages come: Lighthouse's mobile profile, what a first load transfers, and what the first sound costs.

python -m tests.bench.pages
"""

import statistics
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import launched
from tests.browser.lighthouse import report
from tests.browser.spoken import for_microphone, recorded
from tests.browser.stage import Stage, on_air
from tests.browser.visitor import PHONE, Visitor

RUNS = 5
SCORED = {"share": "/b/{code}", "home": "/", "map": "/map"}
WEIGHED = {"recorder": "/record", "map": "/map", "embed": "/b/{code}/embed", "share": "/b/{code}", "home": "/"}
AUDITS = ("first-contentful-paint", "largest-contentful-paint", "interactive", "total-blocking-time")
KINDS = ("Document", "Stylesheet", "Script", "Font", "Image", "Media")
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
"""Lighthouse's mobile network: round trips in ms, bytes a second."""


@dataclass
class Transfer:
    """What a page asked for, and the bytes that came, compressed and with headers, by kind of request."""

    kinds: dict[str, str] = field(default_factory=dict)
    came_bytes: Counter[str] = field(default_factory=Counter)

    def watch(self, page: Page) -> Any:
        """Counts from here on; the browser's own end, to slow it down."""
        browser = page.context.new_cdp_session(page)
        browser.on("Network.requestWillBeSent", self._asked)
        browser.on("Network.responseReceived", self._headers)
        browser.on("Network.dataReceived", self._data)
        browser.on("Network.loadingFinished", self._whole)
        browser.send("Network.enable")
        return browser

    def by_kind(self) -> Counter[str]:
        """Bytes by kind; whatever is none of KINDS is "other"."""
        sums: Counter[str] = Counter()
        for request, came_bytes in self.came_bytes.items():
            kind = self.kinds[request]
            sums[kind if kind in KINDS else "other"] += came_bytes
        return sums

    def _asked(self, told: dict[str, Any]) -> None:
        if told["request"]["url"].startswith("http"):
            self.kinds[told["requestId"]] = told.get("type", "Other")

    def _headers(self, told: dict[str, Any]) -> None:
        self._add(told, told["response"]["encodedDataLength"])

    def _data(self, told: dict[str, Any]) -> None:
        self._add(told, told["encodedDataLength"])

    def _whole(self, told: dict[str, Any]) -> None:
        if told["requestId"] in self.kinds:
            self.came_bytes[told["requestId"]] = int(told["encodedDataLength"])

    def _add(self, told: dict[str, Any], length_bytes: float) -> None:
        if told["requestId"] in self.kinds:
            self.came_bytes[told["requestId"]] += int(length_bytes)


def visitor(browser: Browser, stage: Stage) -> Visitor:
    """A phone that was never here."""
    return Visitor(browser.new_context(base_url=stage.origin, **PHONE))


def performance(stage: Stage, folder: Path) -> None:
    """Prints Lighthouse's figures, each the median of the runs."""
    print(f"\nLighthouse, mobile profile, median of {RUNS} runs\n")
    print("| page | performance | " + " | ".join(AUDITS) + " |\n|---|---|" + "---|" * len(AUDITS))
    for name, address in SCORED.items():
        runs = [report(stage.origin + address.format(code=stage.code), ["performance"], folder) for _ in range(RUNS)]
        score = statistics.median(run["categories"]["performance"]["score"] * 100 for run in runs)
        times_s = (statistics.median(run["audits"][audit]["numericValue"] for run in runs) / 1000 for audit in AUDITS)
        print(f"| {name} | {score:.0f} | " + " | ".join(f"{each:.2f} s" for each in times_s) + " |", flush=True)


def first_loads(browser: Browser, stage: Stage) -> None:
    """Prints what each page transfers to a browser that was never here, until it is quiet."""
    print("\nFirst load, KiB as transferred\n")
    print(
        "| page | requests | all | " + " | ".join([*KINDS, "other"]) + " |\n|---|---|---|" + "---|" * (len(KINDS) + 1)
    )
    for name, address in WEIGHED.items():
        came, transfer = visitor(browser, stage), Transfer()
        transfer.watch(came.page)
        came.page.goto(address.format(code=stage.code), wait_until="networkidle")
        sums = transfer.by_kind()
        row = " | ".join(f"{sums[kind] / 1024:.1f}" for kind in [*KINDS, "other"])
        print(f"| {name} | {len(transfer.kinds)} | {sums.total() / 1024:.1f} | {row} |", flush=True)
        came.context.close()


def first_sound(browser: Browser, stage: Stage, code: str) -> None:
    """Prints what it takes from a share link to the first sound of a two-minute bubble."""
    came, transfer = visitor(browser, stage), Transfer()
    transfer.watch(came.page).send("Network.emulateNetworkConditions", SLOW_4G)
    came.page.goto(f"/b/{code}")
    came.page.evaluate(
        "window.sounds = new Promise((heard) => document.addEventListener('playing', () => heard(), true))"
        ".then(() => performance.now()), undefined"
    )
    pressed_ms = came.page.evaluate("performance.now()")
    came.page.locator("bubble-player[main] button").first.click()
    took_s = (came.page.evaluate("window.sounds") - pressed_ms) / 1000
    sums = transfer.by_kind()
    print("\nFrom a share link to the first sound, on that profile's network, two minutes of speech\n")
    print("| requests | KiB | of them sound | from the press to the sound |\n|---|---|---|---|")
    print(f"| {len(transfer.kinds)} | {sums.total() / 1024:.1f} | {sums['Media'] / 1024:.1f} | {took_s:.2f} s |")
    came.context.close()


def main() -> None:
    """Prints the tables."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent)
        with on_air(folder, [recorded(folder, number) for number in range(3)]) as stage:
            performance(stage, folder)
            speech = for_microphone(recorded(folder), folder / "long.wav", length_s=120)
            long = stage.publish(speech, stage.token(), title="Two minutes")
            stage.ready(long["code"])
            with sync_playwright() as playwright, launched(playwright) as browser:
                first_loads(browser, stage)
                first_sound(browser, stage, long["code"])


if __name__ == "__main__":
    main()
