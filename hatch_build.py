"""What a wheel brings along beside the code, and what it needs: `make wheel`.

Built pages, basemap and places go into `bubbles/built`, where `bubbles.config` finds them. Every dependency is pinned
as in `requirements/run.lock`, which goes beside the wheel: the same, with hashes. An editable install needs none of it.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BROUGHT = {
    "web/pages": "bubbles/built/web/pages",
    "web/messages": "bubbles/built/web/messages",
    "web/styles/tokens.css": "bubbles/built/web/styles/tokens.css",
    "web/dist/.vite/manifest.json": "bubbles/built/web/dist/.vite/manifest.json",
    "web/dist/assets": "bubbles/built/web/dist/assets",
    "requirements/weights.lock": "bubbles/built/weights.lock",
    ".cache/basemap/world.pmtiles": "bubbles/built/basemap/world.pmtiles",
    ".cache/basemap/places.tsv": "bubbles/built/basemap/places.tsv",
}
LOCK = "requirements/run.lock"
EXTRAS = {"demo": LOCK, "otel": "requirements/dev.lock"}
"""What can be asked for with a wheel, and where that is pinned; the rest is for who works on the code."""


class Wheel(BuildHookInterface):
    """Hatch calls these."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Says what goes in; raises `FileNotFoundError` where something is not built yet."""
        if version == "editable":
            return
        root = Path(self.root)
        if lacks := [source for source in BROUGHT if not (root / source).exists()]:
            raise FileNotFoundError(f"{', '.join(lacks)} is not built: run `make wheel`, which builds all of it first.")
        build_data["force_include"] |= BROUGHT
        self._pin(root)

    def _pin(self, root: Path) -> None:
        core = self.metadata.core
        asked = core.config["optional-dependencies"]
        core.config["dependencies"] = list(pins(root / LOCK).values())
        core.config["optional-dependencies"] = {
            extra: [pins(root / lock)[name_of(each)] for each in asked[extra]] for extra, lock in EXTRAS.items()
        }
        # Hatch has read both before it calls us, and keeps what it read.
        core._dependencies = core._dependencies_complex = None
        core._optional_dependencies = core._optional_dependencies_complex = None

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - Hatch's
        """Puts the lock beside the wheel."""
        if version != "editable":
            lock = Path(artifact_path).with_name(f"bubbles-{self.metadata.version}.lock")
            lock.write_text((Path(self.root) / LOCK).read_text())


def pins(lock: Path) -> dict[str, str]:
    """The pins of a lock by name, as requirements: `a==1.0 ; python_version >= "3.13"`."""
    lines = [line.rstrip("\\ ") for line in lock.read_text().splitlines() if re.match(r"\w", line)]
    return {name_of(line): line for line in lines}


def name_of(requirement: str) -> str:
    """The name in a requirement, as every index spells it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()
