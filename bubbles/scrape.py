"""What Prometheus reads: the meters of this process, and a port for a process that serves no pages."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Metric, generate_latest

MEDIA_TYPE = CONTENT_TYPE_LATEST
READ_MAX_S = 5


class _Collected:
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def text(families: Iterable[Metric] | None = None) -> bytes:
    """Prometheus text of these families; of the meters of this process when none are given."""
    if families is None:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(list(families)))
    return generate_latest(registry)


def is_near(address: str) -> bool:
    """Whether a peer is this machine or on a private network."""
    try:
        return ip_address(address).is_private
    except ValueError:
        return False


class _Handler(BaseHTTPRequestHandler):
    timeout = READ_MAX_S

    def do_GET(self) -> None:
        if self.path != "/metrics" or not is_near(self.client_address[0]):
            self.send_error(404)
            return
        body = text()
        self.send_response(200)
        self.send_header("Content-Type", MEDIA_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """Ends the headers of whatever answer it is, refusals included."""
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a scrape every few seconds is no news, and the line would hold an address."""


@contextmanager
def served(host: str, port: int) -> Iterator[int]:
    """`GET /metrics` on a port (0: any that is free), for near peers; gives the port. Raises `OSError` when taken."""
    with ThreadingHTTPServer((host, port), _Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
