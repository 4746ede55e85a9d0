"""What the container files promise, done without a container: a read-only root, an account without rights."""

import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.conftest import CHECKOUT
from tests.ports import free_port

DOCKERFILE = (CHECKOUT / "infra" / "Dockerfile").read_text()
COMPOSE = (CHECKOUT / "infra" / "compose.yaml").read_text()
WAIT_S = 90
USER_ID = re.findall(r"^USER (\d+)", DOCKERFILE, re.MULTILINE)[0]
WALLED = """
set -e
mount --bind "$HOME" "$HOME"
mount -o remount,bind,ro /
if touch "$CHECKOUT/written" 2>/dev/null; then echo "the root can be written to" >&2; exit 1; fi
exec setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$@"
"""


def environment(data: Path, port: int) -> dict[str, str]:
    """The image's own settings, for this folder and port."""
    told = dict(re.findall(r"(?:ENV|^)\s+([A-Z_]+)=(\S+)", DOCKERFILE, re.MULTILINE))
    told |= {"BUBBLES_DATA_DIR": str(data), "BUBBLES_HOST": "127.0.0.1", "BUBBLES_PORT": str(port)}
    return told | {"BUBBLES_WORKERS": "1", "BUBBLES_WHISPER_MODEL": str(data / "none")}


@contextmanager
def walled(arguments: list[str], home: Path, settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command that can write to `home` and nowhere else, without privileges."""
    own = ["unshare", "--user", f"--map-user={USER_ID}", f"--map-group={USER_ID}", "--mount", "--keep-caps"]
    around = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home / "tmp")}  # noqa: TID251 - a test
    process = subprocess.Popen(
        [*own, "sh", "-c", WALLED, "sh", *arguments],
        env=around | {"CHECKOUT": str(CHECKOUT)} | settings,
        stdout=subprocess.PIPE,
        text=True,
        cwd=home,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(WAIT_S)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that another account can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for inner in ("tmp", "data"):
            (folder / inner).mkdir(mode=0o700)
        yield folder


def until(look: Callable[[], Any], *, process: subprocess.Popen[Any]) -> Any:
    deadline_s = time.monotonic() + WAIT_S
    while time.monotonic() < deadline_s:
        assert process.poll() is None, "it ended"
        try:
            if found := look():
                return found
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("it never came")


def test_it_needs_nothing_to_write_to_but_data_and_tmp(home: Path, installed: Path) -> None:
    """The wheel that the image installs, with the image's own entry point."""
    port = free_port()
    command = [str(installed / "bin" / "bubbles"), "serve"]
    with walled(command, home, environment(home / "data", port)) as process:
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        until(lambda: client.get("/healthz").status_code == 200, process=process)
        until(lambda: is_healthy(port), process=process)  # it gives an answer two seconds
        assert client.get("/").status_code == 200
        assert process.stdout
        link = next(found for line in process.stdout if (found := re.search(r"/sign-in/\S+", line)))
        client.post(link[0], headers={"Sec-Fetch-Site": "same-origin"})
        sent = client.post(
            "/api/bubbles", files={"audio": tone(home / "tmp")}, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert sent.status_code == 202, sent.text
        told = f"/api/bubbles/{sent.json()['code']}"
        until(lambda: client.get(told).json()["state"] == "playable", process=process)


def tone(folder: Path) -> bytes:
    path = folder / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", "none"))
        file.writeframes((np.sin(np.arange(48_000) / 20) * 9000).astype(np.int16).tobytes())
    return path.read_bytes()


def is_healthy(port: int) -> bool:
    """What the image's HEALTHCHECK says."""
    code = re.findall(r'CMD \["[^"]+", "-c", "(import urllib.+?)"\]', DOCKERFILE)[0].replace("8000", str(port))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_a_service_that_does_not_answer_is_not_healthy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_healthy(listener.getsockname()[1])


def test_the_bucket_of_the_compose_file_is_made_and_kept(tmp_path: Path) -> None:
    """Its very commands, on free ports of this machine."""
    server = re.findall(r"^      - (-\S+|server)$", COMPOSE.partition("  store:")[2], re.MULTILINE)
    made = " ".join(re.findall(r">-\n((?:        .+\n)+)", COMPOSE)[0].split())
    assert "s3.bucket.create -name bubbles" in made
    weed, ports = str(Path(sys.executable).with_name("weed")), {name: free_port() for name in PARTS}
    (tmp_path / "data").mkdir()
    (tmp_path / "s3.json").write_text(identities())
    grpc = {name: free_port() for name in PARTS}
    here = {"/data": str(tmp_path / "data"), "/etc/seaweedfs": str(tmp_path), "8333": str(ports["s3"])}
    here |= {"-ip=store": "-ip=127.0.0.1", "-ip.bind=0.0.0.0": "-ip.bind=127.0.0.1"}
    arguments = [reduce(lambda text, old: text.replace(old, here[old]), here, argument) for argument in server]
    arguments += [f"-{part}.port={port}" for part, port in ports.items() if part != "s3"]
    arguments += [f"-{part}.port.grpc={port}" for part, port in grpc.items()]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([weed, *arguments], stdout=log, stderr=log, cwd=tmp_path)
    try:
        script = made.replace("store:9333", f"127.0.0.1:{ports['master']}.{grpc['master']}").replace(
            "weed ", f"{shlex.quote(weed)} "
        )
        subprocess.run(["sh", "-c", script], check=True, timeout=2 * WAIT_S, capture_output=True)
        address = f"http://127.0.0.1:{ports['s3']}/bubbles"
        until(lambda: httpx.get(address).status_code == 403, process=process)  # there, and closed to strangers
    finally:
        process.kill()
        process.wait()


PARTS = ("master", "volume", "filer", "s3")


def identities() -> str:
    """The keys of the compose file, filled in."""
    text = COMPOSE.partition("  keys:\n    content: |\n")[2].partition("  upstreams:")[0]
    return re.sub(r"\$\{\w+:\?\}", "0123456789abcdef", text)
