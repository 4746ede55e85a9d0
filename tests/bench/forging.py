"""Listens that one address can forge with ever new user agents, and the bytes that each beacon leaves behind.

    python -m tests.bench.forging [SECONDS]

A real server and PostgreSQL. A few clients at one address begin plays of one bubble, each under an agent of its own,
and tell, as soon as the clock lets it count, that enough was heard; and so on for some seconds.
"""

import http.client
import json
import socket
import sys
import tempfile
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvicorn
from sqlalchemy import text

from bubbles import logs
from bubbles.db.embedded import running
from bubbles.http.asgi import create_app
from tests.bench.ranges import fixtures, house_at

SECONDS = 8.0
CLIENTS = 4
CREDIT_AFTER_S = 1.6
HEARD = [[number / 10, number / 10 + 0.04] for number in range(130)]
"""As dear to keep as a play can be made."""
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.{}"
TABLES = ("play", "network_day", "crowd")
SIZE = text(
    "SELECT coalesce(sum(pg_total_relation_size(to_regclass(name))), 0) FROM unnest(CAST(:names AS text[])) AS name"
)


def forge(port: int, code: str, name: int, until_s: float) -> int:
    """Begins plays and tells of those that are old enough; returns how many beacons it sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begun: deque[tuple[float, int]] = deque()
    sent = 0

    def beacon(number: int, heard: list[list[float]]) -> None:
        told = json.dumps({"code": code, "play": f"play-{name}-{number:08}", "heard": heard})
        agent = AGENT.format(f"{name}.{number}")
        connection.request("POST", "/api/listens", told, {"User-Agent": agent, "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 204, answer.status

    while time.monotonic() < until_s:
        if begun and time.monotonic() - begun[0][0] >= CREDIT_AFTER_S:
            beacon(begun.popleft()[1], HEARD)
        else:
            begun.append((time.monotonic(), sent))
            beacon(sent, [])
        sent += 1
    return sent


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    logs.configure("error")
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "postgresql") as url:
        house = house_at(url, Path(name))
        house.database.migrate()
        code = fixtures().World(house, Path(name)).bubble().code
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            server = uvicorn.Server(uvicorn.Config(create_app(house), log_level="warning", proxy_headers=False))
            thread = threading.Thread(target=server.run, args=([listener],))
            thread.start()
            port, until_s = listener.getsockname()[1], time.monotonic() + seconds
            with ThreadPoolExecutor(CLIENTS) as pool:
                sent = sum(pool.map(lambda client: forge(port, code, client, until_s), range(CLIENTS)))
            server.should_exit = True
            thread.join()
        with house.database.transaction() as session:
            run = session.connection().execute
            listens = run(text("SELECT count(*) FROM play WHERE heard_s >= 5")).scalar_one()
            kept_bytes = run(SIZE, {"names": list(TABLES)}).scalar_one()
        house.database.close()
    print(f"{sent} beacons in {seconds:g} s, {kept_bytes / sent:,.0f} bytes kept of each; {listens} listens counted")
    print(f"({listens / seconds * 3600:,.0f} an hour, were there no bound to how many visitors come from one network)")


if __name__ == "__main__":
    main()
