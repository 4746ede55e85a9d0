"""Makes the virtual environment `.venv`, or leaves alone one that works: python install/environment.py

One that was left half made is made anew.
"""

import subprocess
import sys

import step

VENV = step.CHECKOUT / ".venv"


def works() -> bool:
    """Whether the environment has a Python that runs and a pip that is whole."""
    try:
        command = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--version"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def main() -> None:
    """Ends the process, with a sentence, when it cannot be made."""
    if not works():
        step.run("environment", [sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)])
        # By itself, since venv does not pass on what pip's installer says when it fails.
        step.run("pip", [str(VENV / "bin" / "python"), "-m", "ensurepip", "--upgrade", "--default-pip"])
    (VENV / ".made").touch()


if __name__ == "__main__":
    main()
