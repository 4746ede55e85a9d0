"""Size and time of a fresh install: what `make run` does before it serves, in a clone of its own.

python -m tests.bench.install
"""

import os
import subprocess
import tempfile
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
STEPS = {"packages": ".venv/.run", "pages": "web/dist/.built"}


def size_mib(folder: Path) -> float:
    """What a folder takes on disk."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir()) / 1024 / 1024


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as parent:
        clone = Path(parent) / "bubbles"
        subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BUBBLES_")}  # noqa: TID251
        commands = {name: ["make", target] for name, target in STEPS.items()}
        commands["model"] = [".venv/bin/bubbles", "model", "fetch"]
        folders = {"packages": ".venv", "pages": "web", "model": ".cache"}
        print("| step | time | on disk |\n|---|---|---|")
        for name, run in commands.items():
            began_s = time.monotonic()
            subprocess.run(run, cwd=clone, check=True, stdout=subprocess.DEVNULL, env=environment)
            took_s = time.monotonic() - began_s
            print(f"| {name} | {took_s:.0f} s | {size_mib(clone / folders[name]):.0f} MiB |", flush=True)


if __name__ == "__main__":
    main()
