"""Where Bubbles runs: the Pythons and processors that are promised, and which of them were tried."""

import platform
import sys
from dataclasses import dataclass

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""Versions of CPython, as `requires-python` has them."""

PROCESSORS = ("x86_64", "aarch64")
"""As the kernel calls them."""

TRIED = frozenset((python, "x86_64") for python in ("3.11", "3.12", "3.13"))
"""Whole runs were made on these. Of the others it is known that all that is pinned has a wheel for them."""


@dataclass(frozen=True)
class Platform:
    """What a process runs on: `libc` is empty where it is not glibc."""

    python: str
    processor: str
    libc: str
    implementation: str = "cpython"

    @property
    def is_tried(self) -> bool:
        """Whether whole runs were made on it."""
        return self.is_expected and (self.python, self.processor) in TRIED

    @property
    def is_expected(self) -> bool:
        """Whether it is promised: everything that is pinned has a wheel for it."""
        ours = self.python in PYTHONS and self.processor in PROCESSORS
        return ours and self.implementation == "cpython" and self.libc == "glibc"

    def told(self) -> str:
        """How far it is known, in words for an operator."""
        if self.is_tried:
            return "this Python and this processor were tried"
        if self.is_expected:
            return "not tried, only expected to work: all packages have wheels for it"
        return (
            f"neither tried nor expected to work: use CPython {PYTHONS[0]} to {PYTHONS[-1]}"
            f" on {' or '.join(PROCESSORS)} Linux with glibc"
        )


def current() -> Platform:
    """What this process runs on."""
    version = "{}.{}".format(*sys.version_info[:2])
    return Platform(version, platform.machine(), platform.libc_ver()[0], sys.implementation.name)
