"""Decodes one file in the sandbox and prints what came of it, with the child's CPU seconds and largest RSS in MiB.

A program of its own, since a child's largest RSS as the kernel counts it starts with that of its parent.
"""

import json
import resource
import sys
from pathlib import Path

from bubbles.audio.sandbox import Limits, decode
from bubbles.errors import Refused

try:
    outcome = f"{decode(Path(sys.argv[1]), Limits()).duration_s:.1f} s"
except Refused as refused:
    outcome = refused.code.value
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"outcome": outcome, "cpu_s": used.ru_utime + used.ru_stime, "rss_mib": used.ru_maxrss / 1024}))
