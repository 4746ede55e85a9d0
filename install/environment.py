"""Makes the virtual environment `.venv`, or leaves alone one that works: python install/environment.py

One that was left half made is made anew.
"""

import subprocess
import sys

import step

VENV = step.CHECKOUT / ".venv"


def works() -> bool:
    """Whether the environment has a pip that is whole, and a Python that runs and is as new as this one."""
    command = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--version"]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return ran.returncode == 0 and ran.stdout.rstrip().endswith("(python {}.{})".format(*sys.version_info[:2]))


def main() -> None:
    """Ends the process, with a sentence, when it cannot be made."""
    if not works():
        step.run("environment", [sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)])
        # By itself, since venv does not pass on what pip's installer says when it fails.
        step.run("pip", [str(VENV / "bin" / "python"), "-m", "ensurepip", "--upgrade", "--default-pip"])
    (VENV / ".made").touch()


if __name__ == "__main__":
    main()
