"""The recorder as a person uses it, and what lies in its outbox."""

import base64
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, Page, expect

from bubbles.audio.sandbox import PCM_RATE_HZ, Limits, decode
from tests.browser.visitor import PATIENCE_S, Visitor

KEPT = """async () => {
  const known = await indexedDB.databases();
  if (!known.some(({ name }) => name === "bubbles-outbox")) return [];
  const open = indexedDB.open("bubbles-outbox");
  const database = await new Promise((resolve) => (open.onsuccess = () => resolve(open.result)));
  const all = (store) => new Promise((resolve) => {
    const asked = database.transaction(store).objectStore(store).getAll();
    asked.onsuccess = () => resolve(asked.result);
  });
  const [takes, chunks] = [await all("takes"), await all("chunks")];
  database.close();
  const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return { takes, pieces: chunks.length, sound: btoa(text) };
}"""
"""All that the outbox keeps; the sound of one take."""

NO_LIMITS = Limits()


class Recorder:
    """The page at /record of a visitor."""

    def __init__(self, visitor: Visitor, page: Page | None = None) -> None:
        self.visitor = visitor
        visitor.allowed.append("/map/style.json")  # a place can be given without the map, where that is not built
        self.page = page or visitor.page

    def open(self) -> "Recorder":
        """Goes there; it is at rest once it knows who is here."""
        with self.page.expect_response("**/api/me"):
            self.page.goto("/record")
        return self

    def start(self) -> None:
        """Records."""
        self.page.locator("[data-rec]").click()
        self.page.locator("[data-deck][data-state=recording]").wait_for()

    def until(self, elapsed_s: float, limit_s: int = 120) -> None:
        """Waits until so much is counted down."""
        left_s = limit_s - elapsed_s
        self.visitor.until(
            """(left_s) => {
              const [minutes, seconds] = document.querySelector("[data-countdown]").textContent.split(":");
              return Number(minutes) * 60 + Number(seconds) <= left_s;
            }""",
            left_s,
            page=self.page,
        )

    def stop(self) -> None:
        """Ends the take."""
        self.page.locator("[data-rec]").click()
        self.reviewed()

    def reviewed(self) -> None:
        """Waits until a take is open."""
        self.page.locator("[data-review]:not([hidden]) [data-times]").filter(has_text=re.compile(r"\d")).wait_for()

    def take(self, length_s: float = 1.5) -> "Recorder":
        """Records for so long, and stops."""
        self.start()
        self.until(length_s)
        self.stop()
        return self

    def bring(self, path: Path) -> "Recorder":
        """Chooses a file."""
        self.page.locator("input[type=file]:not([capture])").set_input_files(path)
        self.reviewed()
        return self

    def notice(self, told: str) -> None:
        """Waits until the notice above the deck says so."""
        expect(self.page.locator("[data-notice]")).to_contain_text(told)

    def publish(self, title: str = "") -> None:
        """Sends what is open."""
        self.page.locator("[data-field=title]").fill(title)
        self.page.locator(".publish button").click()

    def card(self, told: str, *, within_s: int = PATIENCE_S) -> None:
        """Waits until a card of the outbox says so."""
        self.page.locator("[data-standing]").filter(has_text=told).first.wait_for(timeout=within_s * 1000)

    def code(self) -> str:
        """The code of what was sent."""
        self.card("Published.")
        return self.page.locator("[data-link]").first.input_value().rpartition("/")[2]

    def kept(self) -> dict[str, Any]:
        """What the outbox holds: `takes`, `pieces`, and the `sound` as bytes."""
        kept = dict(self.page.evaluate(KEPT))
        return kept | {"sound": base64.b64decode(kept["sound"])}

    def posts(self) -> int:
        """How often something was sent."""
        return len(self.visitor.requested("/api/bubbles$", "POST"))


def duration_s(sound: bytes, folder: Path) -> float:
    """How long a recording is, in decoded seconds."""
    path = folder / "take"
    path.write_bytes(sound)
    return decode(path, NO_LIMITS).duration_s


def energy(path: Path) -> float:
    """The sum of the squares of all samples: silence before and after a voice adds nothing to it."""
    samples = memoryview(bytes(decode(path, NO_LIMITS).pcm)).cast("h")
    return float(sum(sample * sample for sample in samples)) / PCM_RATE_HZ


def slow_upload(visitor: Visitor, page: Page, *, bytes_per_s: int) -> CDPSession:
    """Lets so much leave the page. Who is cut off may come again before it is noticed, and is told 409 for a while."""
    visitor.allowed.append("status of 409")
    line = visitor.context.new_cdp_session(page)
    line.send("Network.enable")
    speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_s}
    line.send("Network.emulateNetworkConditions", {"offline": False, **speed})
    return line


class Wire:
    """What went over a line, byte by byte."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.origin = ""


@contextmanager
def listened_to(origin: str) -> Iterator[Wire]:
    """Another address of the same service, where all that a browser sends is written down."""
    wire, behind = Wire(), urlsplit(origin)
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire.origin = f"http://localhost:{server.getsockname()[1]}"
        threading.Thread(target=_accept, args=(server, ("127.0.0.1", behind.port), wire), daemon=True).start()
        yield wire


def _accept(server: socket.socket, behind: tuple[str, int | None], wire: Wire) -> None:
    with suppress(OSError):  # the test is over
        while True:
            browser, _ = server.accept()
            service = socket.create_connection(behind)
            for source, sink, copy in ((browser, service, wire.sent), (service, browser, None)):
                threading.Thread(target=_pass, args=(source, sink, copy), daemon=True).start()


def _pass(source: socket.socket, sink: socket.socket, copy: bytearray | None) -> None:
    with suppress(OSError):  # either side may hang up
        while piece := source.recv(65536):
            if copy is not None:
                copy += piece
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
