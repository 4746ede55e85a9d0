"""Decodes one file in the sandbox and prints what came of it: outcome, seconds, and the child's largest RSS in MiB.

A program of its own, since a child's largest RSS as the kernel counts it starts with that of its parent.
"""

import json
import resource
import sys
import time
from pathlib import Path

from bubbles.audio.sandbox import Limits, decode
from bubbles.errors import Refused

started = time.monotonic()
try:
    outcome = f"{decode(Path(sys.argv[1]), Limits()).duration_s:.1f} s"
except Refused as refused:
    outcome = refused.code.value
elapsed_s = time.monotonic() - started
rss_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(json.dumps({"outcome": outcome, "elapsed_s": elapsed_s, "rss_mib": rss_mib}))
