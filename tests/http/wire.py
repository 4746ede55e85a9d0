"""Raw sockets to a house that is served as `serve` serves it, on this machine and with nothing in front."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import uvicorn

from bubbles import serve
from bubbles.app import House

PATIENCE_S = 60


@dataclass
class Answer:
    """What came back by a connection that then ended, or one answer with a length."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


@dataclass
class Wire:
    """A served house."""

    house: House
    port: int
    server: uvicorn.Server

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)

    def ask(self, sent: bytes) -> Answer:
        """The last answer to these bytes, once the server has ended the connection."""
        with self.connect() as client:
            client.sendall(sent)
            return answers(everything(client))[-1]

    @property
    def open(self) -> int:
        return len(self.server.server_state.connections)


@contextmanager
def served(house: House, **settings: Any) -> Iterator[Wire]:
    """The house with these settings; a trusted proxy is nobody unless they say so."""
    known = {"trusted_proxies": ""} | settings
    house = replace(house, settings=house.settings.model_copy(update=known))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(serve.configuration(house))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            until(lambda: server.started)
            yield Wire(house, int(listener.getsockname()[1]), server)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)


def everything(client: socket.socket) -> bytes:
    """All that comes until the server ends it, politely or not."""
    found = b""
    try:
        while part := client.recv(1 << 16):
            found += part
    except ConnectionError:
        pass
    return found


def answers(received: bytes) -> list[Answer]:
    """The answers in what was received; each has a length or is the last."""
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", len(rest)))
        found.append(Answer(int(first.split()[1]), headers, rest[:length]))
        received = rest[length:]
    return found


def until(true: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.01)
