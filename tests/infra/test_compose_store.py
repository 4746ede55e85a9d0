"""What compose has done to its store, done to a real one."""

import re
import subprocess
import sys
import time
from pathlib import Path

from bubbles.blobs.address import open_store
from bubbles.blobs.store import put_bytes
from tests.blobs.seaweed import SeaweedS3
from tests.conftest import CHECKOUT

ASKED_S = 120
COMPOSE = (CHECKOUT / "infra/compose.yaml").read_text()


def weed_shell(server: SeaweedS3, script: str) -> str:
    """What a shell script says that calls `weed`, with the store of compose in the place of `store:9333`."""
    ports = dict(re.findall(r"-(master\.port(?:\.grpc)?)=(\d+)", " ".join(map(str, server.process.args))))
    master = f"127.0.0.1:{ports['master.port']}.{ports['master.port.grpc']}"
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    command = ["sh", "-c", script.replace("store:9333", master)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": path}, timeout=120).stdout


def test_the_bucket_is_made_and_its_sound_synced_before_it_counts(weed: SeaweedS3) -> None:
    (script,) = re.findall(r"^  bucket:.+?>-\n(.+?)\n    depends_on", COMPOSE, re.MULTILINE | re.DOTALL)
    for _ in range(2):
        weed_shell(weed, " ".join(script.split()))
    rule = re.compile(r'"locationPrefix": *"/buckets/bubbles/".+?"fsync": *true', re.DOTALL)
    deadline_s = time.monotonic() + ASKED_S
    while not rule.search(told := weed_shell(weed, "echo fs.configure | weed shell -master=store:9333 2>&1")):
        assert time.monotonic() < deadline_s, told  # its shell now and then finds no filer at once
    url = f"s3://bubbles/?endpoint={weed.endpoint}&region=us-east-1"
    store = open_store(url, access_key_id=weed.access_key, secret_access_key=weed.secret_key)
    put_bytes(store, "renditions/x/y", b"sound")
    assert store.size("renditions/x/y") == len(b"sound")
