"""What the kernel counts of memory that ran out is read where it lies: in the process's own cgroup, old or new."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bubbles import machine
from bubbles.machine import Shortages


def own_path(kind: str) -> str:
    """The path of this process's cgroup of a kind."""
    lines = (line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines())
    return next((path for _, kinds, path in lines if kinds == kind), "/").lstrip("/")


@pytest.mark.parametrize("place", ["own", "root"])
def test_the_counts_of_cgroup_2_are_read(tmp_path: Path, place: str) -> None:
    folder = tmp_path / own_path("") if place == "own" else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 11\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert machine.shortages(cgroups=tmp_path) == Shortages(at_limit=3, killed=2)


def test_the_counts_of_cgroup_1_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "memory" / own_path("memory")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n")
    (folder / "memory.failcnt").write_text("7\n")
    if not own_path("memory") and Path("/proc/self/cgroup").read_text().startswith("0::"):
        pytest.skip("this kernel has cgroup 2 alone")
    assert machine.shortages(cgroups=tmp_path) == Shortages(at_limit=7, killed=4)


def test_where_nobody_counts_nothing_has_run_out(tmp_path: Path) -> None:
    assert machine.shortages(cgroups=tmp_path) == Shortages()


def test_a_machine_was_started_before_now() -> None:
    assert machine.up_since() < datetime.now(UTC)
