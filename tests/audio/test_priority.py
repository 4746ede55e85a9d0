"""A decoder gives way to the service, from its first line on and wherever the kernel shares by session."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from leftovers import children, first_at_work

from bubbles.audio import sandbox
from bubbles.audio.sandbox import NICENESS, Limits, decode
from bubbles.errors import Died

IMPORTED = "import json, os; print('ready'); print(json.dumps({'nice': os.nice(0)}))"


def test_it_gives_way_before_it_imports_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "bubbles" / "audio"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "inside.py").write_text(f"{IMPORTED}\nmain = lambda: None")
    monkeypatch.setattr(sandbox, "_folders", lambda *_: [str(tmp_path)])
    with Path(os.devnull).open("rb") as nothing:
        verdict, _ = sandbox._ask(nothing, {}, timeout_s=60, pcm_max_bytes=0)
    assert verdict["nice"] == min(19, max(NICENESS, os.nice(0) + 1))


def test_its_niceness_counts_where_sessions_share_alike(leaves_nothing: Path) -> None:
    """With `kernel.sched_autogroup_enabled` a session of its own would be given as much as all of the service."""
    path = leaves_nothing / "recording"
    os.mkfifo(path)
    held = os.open(path, os.O_RDWR)
    before = children()
    with ThreadPoolExecutor(1) as threads:
        result = threads.submit(decode, path, Limits(timeout_s=60))
        child = first_at_work(lambda: children() - before)
        assert os.getsid(child) == os.getsid(0)
        assert os.getpgid(child) == child  # so that it is killed with all that it started
        os.killpg(child, signal.SIGKILL)
        with pytest.raises(Died):
            result.result(30)
    os.close(held)
