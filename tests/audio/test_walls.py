"""What the child could do if what it reads took it over: each wall holds by itself."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bubbles.audio import sandbox
from bubbles.audio.sandbox import isolation

CHECKOUT = Path(__file__).parents[2]

TRY = """
import ctypes, json, os, resource, socket, sys
from pathlib import Path
from bubbles.audio import walls

def works(action):
    try:
        action()
    except (OSError, MemoryError):
        return False
    return True

def call(port):
    with socket.socket() as caller:
        caller.settimeout(2)
        caller.connect(("127.0.0.1", port))

own, port = Path(sys.argv[1]), int(sys.argv[2])
kernel = ctypes.CDLL(None, use_errno=True)
encoded = "".encode("idna")  # what connect() imports, while it can
assert works(lambda: own.read_text()) and works(lambda: call(port)) and works(lambda: bytearray(300 << 20))
{raise_walls}
print(json.dumps({{
    "read": works(lambda: own.read_text()),
    "write": works(lambda: own.write_text("x")),
    "list": works(lambda: os.listdir("/")),
    "call": works(lambda: call(port)),
    "memory": works(lambda: bytearray(300 << 20)),
}}))
"""


def left_open(tmp_path: Path, raise_walls: str) -> set[str]:
    """What still works in a child after it has raised these walls."""
    own = tmp_path / "own"
    own.write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-c", TRY.format(raise_walls=raise_walls), str(own), port],
            env={"PYTHONPATH": str(CHECKOUT)},
            capture_output=True,
            check=True,
        )
    return {what for what, works in json.loads(done.stdout).items() if works}


def test_nothing_is_within_reach(tmp_path: Path) -> None:
    assert left_open(tmp_path, "walls.confine(512 << 20, 10)") == set()


def test_limits_alone_forbid_files_sockets_and_memory(tmp_path: Path) -> None:
    assert left_open(tmp_path, "walls._limit_resources(512 << 20, 10)") == set()


@pytest.mark.skipif(not isolation()["landlock"], reason="this kernel has no Landlock")
def test_landlock_alone_forbids_files(tmp_path: Path) -> None:
    walls = "kernel.prctl(38, 1, 0, 0, 0); assert walls._forbid_files(kernel)"
    assert left_open(tmp_path, walls) <= {"memory", "call"}


@pytest.mark.skipif(not isolation()["network_namespace"], reason="this kernel gives no network namespace")
def test_a_network_namespace_alone_forbids_calls(tmp_path: Path) -> None:
    assert "call" not in left_open(tmp_path, "assert kernel.unshare(0x50000000) == 0")


def test_isolation_says_what_the_kernel_allows() -> None:
    walls = isolation()
    assert set(walls) == {"network_namespace", "no_new_privileges", "landlock", "resource_limits"}
    assert walls["no_new_privileges"]
    assert walls["resource_limits"]


def test_the_child_knows_nothing_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no environment (`LC_CTYPE` is Python's own), no folder, and finds only the standard library by itself."""
    ask = (
        "import json, os, sys; print('ready'); print(json.dumps({'environment': not set(os.environ) - {'LC_CTYPE'},"
        "'folder': os.getcwd() == '/', 'path': not any('site-packages' in p or p in ('', '.') for p in sys.path)}))"
    )
    monkeypatch.setattr(sandbox, "START", ask)
    assert isolation() == {"environment": True, "folder": True, "path": True}
