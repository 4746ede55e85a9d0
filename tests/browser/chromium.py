"""The machine's own Chromium: where it is, and how it is started. Nothing is ever downloaded."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "apt-get update && apt-get install -y --no-install-recommends chromium"
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--enable-unsafe-swiftshader",  # maps are drawn without a graphics card
    "--no-first-run",
)
"""Flags of a browser that asks nothing of anyone by itself."""


def found() -> str:
    """The path of the browser. Fails the test, with what to run, where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, f"There is no Chromium on the path. Run: {INSTALL}"
    return path


def flags(microphone: Path | None = None) -> list[str]:
    """The command line: made-up devices, the microphone hearing the WAV once; who asks for them needs permission."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to be root in its sandbox
    hears = [f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else []
    return [*QUIET, *sandbox, "--use-fake-device-for-media-stream", *hears]


@contextmanager
def launched(playwright: Playwright, microphone: Path | None = None) -> Iterator[Browser]:
    """A browser without a window; it is gone at the end of the block."""
    browser = playwright.chromium.launch(executable_path=found(), args=flags(microphone))
    try:
        yield browser
    finally:
        browser.close()
