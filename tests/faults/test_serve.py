"""What `serve` leaves behind: nothing after Ctrl-C, nothing that hinders the next start after a crash."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from tests.journey.service import Service, running, wait_for


def processes_of(folder: Path) -> dict[int, str]:
    """Processes whose command line or environment names `folder`, by id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + b" " + (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(folder).encode() in text:
                found[int(entry.name)] = text.split(b" ")[0].replace(b"\0", b" ").decode(errors="replace")
    return found


def workers_of(folder: Path) -> list[int]:
    return [pid for pid, command in processes_of(folder).items() if " work" in command]


def publish(service: Service, speech, handle: str) -> str:
    service.command("account", "create", handle)
    with service.client(service.command("token", "create", handle)) as client:
        answer = client.post("/api/bubbles", files={"audio": ("x", speech.path.read_bytes())})
    assert answer.status_code == 202, answer.text
    return answer.json()["code"]


def state(service: Service, code: str) -> dict:
    with service.client() as client:
        return client.get(f"/api/bubbles/{code}").json()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_a_signal_stops_everything_that_was_started(tmp_path, number):
    with running(tmp_path) as service:
        wait_for(lambda: len(processes_of(tmp_path)) >= 3)  # the web, a worker, the database
        assert service.stop(number) == 0
        assert wait_for(lambda: not processes_of(tmp_path))


def test_after_a_crash_the_next_start_takes_up_where_it_was(tmp_path, speech):
    with running(tmp_path) as service:
        code = publish(service, speech, "ana")
        service.stop(signal.SIGKILL)
    with running(tmp_path, STALLED_AFTER_S="10") as service:
        wait_for(lambda: state(service, code).get("state") == "ready")
        service.stop()
        assert wait_for(lambda: not processes_of(tmp_path))


def test_a_killed_worker_is_replaced_and_loses_nothing(tmp_path, speech):
    with running(tmp_path, STALLED_AFTER_S="10") as service:
        code = publish(service, speech, "ana")
        for pid in wait_for(lambda: workers_of(tmp_path)):
            with suppress(ProcessLookupError):  # one that it was about to start ends with it
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: state(service, code).get("state") == "ready")


@pytest.fixture(scope="module")
def speechless(tmp_path_factory):
    """A service without a model."""
    folder = tmp_path_factory.mktemp("speechless")
    with running(folder, WHISPER_MODEL=str(folder / "no-model")) as service:
        yield service


def test_without_the_model_it_plays_and_the_page_says_what_is_missing(speechless, speech):
    code = publish(speechless, speech, "ana")
    told = wait_for(lambda: _waiting(state(speechless, code)))
    assert (told["state"], told["transcript"]["waiting_for"]) == ("playable", "model")
    with speechless.client() as client:
        parts = {"database": "ok", "store": "ok", "model": "missing"}
        ready = wait_for(lambda: _telling(client.get("/readyz").json(), parts))  # on a busy machine a look may be late
        assert ready["ready"] is True
        assert "model" in client.get(f"/b/{code}").text
        assert code in client.get("/api/bubbles").text
        assert client.get(f"/media/{code}.ogg").status_code == 200


def _telling(told: dict, parts: dict) -> dict | None:
    return told if parts.items() <= told["parts"].items() else None


def _waiting(told: dict) -> dict | None:
    return told if told["transcript"]["waiting_for"] else None


def test_a_second_service_on_the_same_port_says_so(speechless):
    assert speechless.command("serve", check=False) == ""
