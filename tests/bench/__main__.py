"""Every measurement, one after the other: `make bench`. Name some to run those alone: `python -m tests.bench words`."""

import subprocess
import sys

BENCHES = (
    *("words", "journey", "queue", "recovery", "ranges", "burst", "sockets", "hostile", "forging"),
    *("search", "figures", "keeping", "pages", "install"),
)

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHES:
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=True)
