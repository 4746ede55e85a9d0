"""Inside the process that presses renditions. It loads nothing but what it encodes with: it is started for each."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from bubbles.audio.renditions import render


def main() -> None:
    """Renders the PCM file that is named, and tells what it made."""
    source = Path(sys.argv[1])
    encoded = render(source.read_bytes(), source.parent)
    json.dump([asdict(each) for each in encoded], sys.stdout, default=str)


if __name__ == "__main__":
    main()
