"""Logs are lines of JSON and hold nothing of anybody: not an address, not a name, not a code, not a word."""

import json
import logging
import socket
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest
from sqlalchemy.engine import make_url

from bubbles import logs
from bubbles.blobs.store import Spoiled
from bubbles.db.engine import Database
from bubbles.errors import Code, Missing, Refused
from bubbles.http.routes import OPERATIONS
from tests.http.hostile import HOSTILE
from tests.journey.service import Service, running, wait_for

MARK = "zq7mark"
"""In all that is sent, and in nothing of ours."""

ADDRESS = "198.51.100.23"
KEYS = {"event", "level", "timestamp", "request_id", "method", "route", "status", "bytes", "duration_ms"}


# A real service, told what must not be written down


@pytest.fixture(scope="module")
def told(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Any]]:
    """A service on an empty database, without a speech model, that trusts this machine as its proxy."""
    folder = tmp_path_factory.mktemp("told")
    with (folder / "log").open("w+") as log:
        settings = {"CACHE_DIR": str(folder / "cache"), "LOG_LEVEL": "debug", "TRUSTED_PROXIES": "127.0.0.0/8"}
        with running(folder, log=log, DATABASE_URL=database.libpq_url, **settings) as service:
            yield service, folder / "log"


def sound(path: Path) -> bytes:
    """A second of noise."""
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 16_000, 16_000, "NONE", "NONE"))
        out.writeframes((np.random.default_rng(7).normal(0, 6000, 16_000)).astype("<i2").tobytes())
    return path.read_bytes()


def published(service: Service, token: str, audio: bytes, title: str) -> str:
    """The code of a private bubble with such a title."""
    place = {"latitude": "48.137154", "longitude": "11.576124", "tags": MARK, "visibility": "private"}
    with service.client(token) as client:
        answer = client.post(
            "/api/bubbles",
            files={"audio": (f"{MARK}.wav", audio, "audio/wav")},
            data={"title": title} | place,
            headers={"Idempotency-Key": f"{MARK}-{title}"},
        )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["code"])


def everything_asked(author: httpx.Client, stranger: httpx.Client, code: str) -> None:
    """Every route, with hostile words wherever words go: as a stranger, and as the author of a bubble."""
    names = {"kind": "m4a", "format": "vtt", "handle": MARK, "account": MARK, "secret": f"{MARK}secret", "number": "1"}
    words = [f"{MARK} {text}" for text in HOSTILE.values()]
    for number, row in enumerate(OPERATIONS):
        word = words[number % len(words)]
        headers = {
            "User-Agent": f"{MARK}agent", "Referer": f"https://{MARK}.example/", "X-Forwarded-For": ADDRESS,
            "Cookie": f"bubbles_session={MARK}", "Accept-Language": MARK, "Range": MARK, "If-Match": MARK,
            "Idempotency-Key": MARK, "Accept": "text/html" if number % 2 else "*/*",
        }  # fmt: skip
        for each, client in ((code, author), (MARK, stranger)):
            if row.path == "/api/bubbles/{code}/events" and each == code:
                continue  # goes on for ever
            body: dict[str, Any] = {"json": {"title": word, "cues": word}} if row.method in {"PUT", "PATCH"} else {}
            if row.method == "POST":
                body = {"data": {"title": word, "handle": word, "password": word, "next": word, MARK: word}}
            if row.method == "DELETE" and client is author:
                continue  # it stays for the routes that follow
            client.request(
                row.method,
                row.path.format(code=each, **names),
                params={"q": word, "near": MARK, "cursor": word, "url": word, MARK: word},
                headers=headers,
                **body,
            )


def test_nothing_of_anybody_is_written_down(told: tuple[Service, Path], tmp_path: Path) -> None:
    service, path = told
    service.command("account", "create", f"{MARK}author")
    token = service.command("token", "create", f"{MARK}author")
    codes = [published(service, token, sound(tmp_path / "sound"), f"{MARK} title {number}") for number in range(2)]
    with service.client(token) as author, service.client() as stranger:
        everything_asked(author, stranger, codes[0])
    with service.client(token) as client:
        client.post("/api/bubbles", files={"audio": (MARK, b"RIFF" + MARK.encode(), "audio/wav")})
        for code in codes:  # a step of what is withdrawn meanwhile may fail, and says so
            wait_for(lambda code=code: client.get(f"/api/bubbles/{code}").json()["state"] == "playable")
        client.delete(f"/api/bubbles/{codes[1]}")
        for event in ("chore", "missing"):  # its blobs are deleted, the other one's words want a model
            wait_for(lambda event=event: f'"event": "{event}"' in path.read_text())
    text = path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    events = {line["event"] for line in lines}
    assert {"request", "refused", "missing", "chore", "worker_started"} <= events  # all sides have spoken
    assert "bug" not in events
    said = json.dumps([{name: value for name, value in line.items() if name != "timestamp"} for line in lines])
    for forbidden in (MARK, *codes, token, ADDRESS, "127.0.0.1", "48.13", "11.57"):  # seconds may look like degrees
        assert forbidden not in said.lower() if forbidden == MARK else forbidden not in said
    asked = [line for line in lines if line["event"] == "request"]
    assert {line["route"] for line in asked} >= {row.path for row in OPERATIONS}
    assert all(KEYS <= set(line) <= KEYS | {"bubble_id"} for line in asked)
    (waits,) = {(line["step"], type(line["job_id"]), line["attempt"] > 0) for line in lines if line.get("step")}
    assert waits == ("transcribe", int, True)


# Errors


def lines_of(write: Any) -> list[dict[str, Any]]:
    """What a fresh process writes that runs this file's `write`."""
    code = f"from tests.test_logs import {write.__name__} as write; write()"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert not ran.stdout
    return [json.loads(line) for line in ran.stderr.splitlines()]


def _goes_wrong() -> None:
    import structlog

    logs.configure("info")
    try:
        try:
            int(f"{MARK} is no number")
        except ValueError as error:
            raise KeyError(MARK) from error
    except KeyError as error:
        structlog.get_logger().error("bug", exc_info=error)
        structlog.get_logger().exception("bug")
        logging.getLogger("uvicorn.error").error("Exception in ASGI application\n%s", MARK, exc_info=error)
    structlog.get_logger().warning("missing", detail=f"The blob renditions/{'c' * 16}/ab.m4a is not in the store.")
    structlog.get_logger().warning("tries_again", exc_info=Spoiled(f"recordings/{'c' * 16}/received"))
    logging.getLogger("asyncio").error("Task exception was never retrieved")


def test_a_line_and_its_end_are_written_at_once() -> None:
    """So that the lines of processes that share a log stay apart, with Python's own buffer or without."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)  # keeps what is written at once together
    code = "from tests.test_logs import _goes_wrong as write; write()"
    with ours, theirs:
        ours.settimeout(60)
        for buffering in ("-E", "-u"):  # Python's own, and none
            subprocess.run([sys.executable, buffering, "-c", code], stderr=theirs, timeout=60, check=True)
            for written in (ours.recv(1 << 16) for _ in range(6)):
                assert written.endswith(b"}\n")
                json.loads(written)


def test_an_error_is_told_by_type_and_place_and_never_by_its_message() -> None:
    lines = lines_of(_goes_wrong)
    assert MARK not in json.dumps(lines)
    for line in lines[:3]:
        outer, inner = line["exception"]
        assert outer.startswith("KeyError: tests.test_logs:")
        assert inner.startswith("ValueError: tests.test_logs:")
    assert lines[2]["event"] == "Exception in ASGI application"
    assert lines[2]["logger"] == "uvicorn.error"
    assert lines[3]["detail"] == "The blob renditions/... is not in the store."
    assert lines[4]["exception"][0].startswith("Spoiled (store, The store gives other bytes for recordings/... than")
    assert set(lines[5]) == {"event", "logger", "level", "timestamp"}


def test_what_is_ours_to_say_of_an_error_is_said(postgres: str) -> None:
    assert logs.trace(Refused(Code.SILENT, MARK)) == ["Refused (silent): "]
    assert logs.trace(Missing("store", "Look at it.")) == ["Missing (store, Look at it.): "]
    assert logs.trace(OSError(28, MARK, MARK)) == ["OSError (28): "]
    url = make_url(postgres).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection, pytest.raises(psycopg.Error) as raised:
        connection.execute(f"SELECT '{MARK}'::int")  # type: ignore[arg-type] # the value is the point
    (told,) = logs.trace(raised.value)
    assert told.startswith("InvalidTextRepresentation (22P02)")
    assert MARK not in told


def _lets_nobody_catch() -> None:
    import gc
    import threading
    import warnings

    logs.configure("info")
    logs.catch_the_rest()
    warnings.simplefilter("always")  # not by -W: what is imported before may warn as it likes
    warnings.warn(f"{MARK} is no longer asked", DeprecationWarning, stacklevel=1)
    warnings.warn(f"{MARK} is no longer asked", UserWarning, stacklevel=1)
    thread = threading.Thread(target=lambda: int(MARK))
    thread.start()
    thread.join()

    class Unraisable:
        def __del__(self) -> None:
            raise ValueError(MARK)

    Unraisable()
    gc.collect()
    logging.getLogger("theirs").error("%s failed: %s after %d s", MARK, ValueError(MARK), 3)
    logging.getLogger("theirs").error(f"SQL failed: SELECT {MARK} FROM bubble")  # noqa: S608 - nobody runs it
    logging.getLogger("theirs").error(f"refused '{MARK}'")
    logging.getLogger("theirs").error("%d of %s", MARK)  # noqa: PLE1206 - it cannot be filled in
    raise KeyError(MARK)


def test_whatever_nobody_catches_is_a_line_of_json_that_repeats_nothing() -> None:
    code = "from tests.test_logs import _lets_nobody_catch as write; write()"
    command = [sys.executable, "-W", "ignore", "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
    lines = [json.loads(line) for line in ran.stderr.splitlines()]
    assert MARK not in json.dumps(lines)
    assert [line["event"] for line in lines] == [
        "warned", "warned", "uncaught_in_thread", "unraisable", "... failed: ValueError after 3 s", "SQL failed: ...",
        "refused '...'", "%d of %s", "uncaught",
    ]  # fmt: skip
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert lines[-1]["exception"][0].startswith("KeyError: tests.test_logs:")
