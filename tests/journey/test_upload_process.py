"""Uploads in a process of their own, which gives way, comes again when it dies, and leaves with the service."""

import os
import signal
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from bubbles.cli import app
from bubbles.config import Settings
from bubbles.serve import UPLOADS_NICENESS
from tests.audio.leftovers import children
from tests.journey.service import Service, running, wait_for
from tests.ports import free_port


def receiver(service: Service) -> int | None:
    """The process for uploads, once it runs."""
    return next((child for child in children(service.process.pid) if b"\0receive\0" in command_of(child)), None)


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


def answers(port: int) -> bool:
    try:
        return httpx.post(f"http://127.0.0.1:{port}/api/bubbles").status_code == 401
    except httpx.TransportError:
        return False


def test_uploads_have_a_process_that_gives_way(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, UPLOAD_PORT=str(port), WORKERS="0") as service:
        wait_for(lambda: answers(port))
        first = receiver(service)
        assert first
        niceness = os.getpriority(os.PRIO_PROCESS, service.process.pid)
        assert os.getpriority(os.PRIO_PROCESS, first) == min(19, niceness + UPLOADS_NICENESS)
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: (receiver(service) or first) != first and answers(port))
        assert service.stop() == 0
    assert not answers(port)


def test_without_a_port_there_is_none(tmp_path: Path) -> None:
    with running(tmp_path, WORKERS="0") as service:
        assert receiver(service) is None


def test_a_port_for_both_is_refused() -> None:
    with pytest.raises(ValidationError, match="another than BUBBLES_PORT"):
        Settings(port=8100, upload_port=8100)


def test_without_a_port_nothing_is_received() -> None:
    ran = CliRunner().invoke(app, ["receive"], env={"BUBBLES_UPLOAD_PORT": "0"})
    assert ran.exit_code == 2
    assert "BUBBLES_UPLOAD_PORT" in ran.output
