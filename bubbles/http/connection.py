"""A connection that no proxy guards: how long a request may be and may take, how many there are from one network.

What is refused here is told as a problem document, then the connection ends. Bytes are counted as they come, before
anything is kept, so that nobody is given more memory or time by sending slowly or without end.
"""

import asyncio
from enum import Enum, auto
from typing import Any, NoReturn

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bubbles.errors import Code
from bubbles.http import visitors
from bubbles.http.bounds import (
    FED_AT_ONCE_BYTES,
    FRAMING_PER_BODY_BYTE,
    HEADERS_MAX,
    LINE_MAX_BYTES,
    LINGERS_MAX_BYTES,
    LINGERS_S,
    PIPELINED_MAX,
    Bounds,
    Counts,
    Fault,
    answer,
    too_long,
)
from bubbles.http.visitors import Address
from bubbles.meters import REFUSALS


class _Stage(Enum):
    """What comes next by a connection."""

    REQUEST = auto()
    HEAD = auto()
    BODY = auto()


class Connection(HttpToolsProtocol):
    """Uvicorn's protocol, bounded."""

    def __init__(self, *arguments: Any, bounds: Bounds, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._bounds = bounds
        self._stage = _Stage.REQUEST
        self._counts = Counts()
        self._fault: Fault | None = None
        self._is_over = False
        self._held_by: Address | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timed: _Stage | None = None
        self._slow_reader: asyncio.TimerHandle | None = None
        self._body_before = self._thrown_away = 0

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """A place for it, and time for its first request."""
        super().connection_made(transport)
        if self._has_place():
            self._time(_Stage.HEAD)
        else:
            detail = "Too many connections are open from one network."
            self._end(Fault(429, Code.RATE_LIMITED, detail), lingers=False)

    def _has_place(self) -> bool:
        peer = self.client[0] if self.client else ""
        found = visitors.parsed(peer)
        if found is None or visitors.is_trusted(self._bounds.settings, peer):
            return True
        if not self._bounds.shares.take(found):
            return False
        self._held_by = found
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Gives back what it held."""
        super().connection_lost(exc)
        self._untime()
        self.resume_writing()
        if self._held_by is not None:
            self._bounds.shares.give_back(self._held_by)
            self._held_by = None

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, of a head a little at a time."""
        if self._is_over:
            self._throw_away(len(data))
        while data and not self._is_over:
            at_once = len(data) if self._stage is _Stage.BODY else FED_AT_ONCE_BYTES
            self._feed(data[:at_once])
            data = data[at_once:]
        if not self._is_over:
            self._mind_the_time()

    def _feed(self, data: bytes) -> None:
        counts, told, body = self._counts, self._counts.head, self._counts.body
        super().data_received(data)
        if self._is_over or counts is not self._counts:
            return
        if self._stage is _Stage.BODY:
            counts.framing += len(data) - (counts.body - body)
            self._require_body()
        elif counts.head == told:
            counts.untold += len(data)
            self._require_head()

    def _require_head(self) -> None:
        counts, most = self._counts, self._bounds.settings.head_max_bytes
        if counts.head + counts.untold > most:
            self._end(too_long(most))

    def _require_body(self) -> None:
        counts, settings = self._counts, self._bounds.settings
        if counts.framing > settings.head_max_bytes + FRAMING_PER_BODY_BYTE * counts.body:
            self._end(Fault(400, Code.BAD_REQUEST, "The chunks of the body hold next to nothing."))
        elif counts.body > self._bounds.body_max_bytes:
            self._end(Fault(413, Code.TOO_LARGE, "The request is far too large."))

    # What the parser tells

    def on_message_begin(self) -> None:
        """A request begins."""
        self._stage, self._counts, self._body_before = _Stage.HEAD, Counts(), 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the path."""
        self._counts.head += len(url)
        if self._counts.head > LINE_MAX_BYTES:
            self._raise(Fault(414, Code.TOO_LARGE, f"The address is longer than {LINE_MAX_BYTES} bytes."))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; one that comes after the body is nothing that anybody asked for, and dropped."""
        if self._stage is _Stage.BODY:
            return
        self._counts.head += len(name) + len(value)
        self._counts.untold = 0
        if self._counts.head > self._bounds.settings.head_max_bytes:
            self._raise(too_long(self._bounds.settings.head_max_bytes))
        if len(self.headers) >= HEADERS_MAX:
            self._raise(Fault(431, Code.TOO_LARGE, f"The request has more than {HEADERS_MAX} headers."))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The body comes next."""
        self._require_sense()
        if len(self.pipeline) >= PIPELINED_MAX:
            self._raise(Fault(400, Code.BAD_REQUEST, "Wait for the answers."))
        super().on_headers_complete()
        self._stage = _Stage.BODY
        if self.parser.should_upgrade():
            self.cycle.keep_alive = False  # the parser reads nothing after a request that asks for another protocol

    def _require_sense(self) -> None:
        version, hosts = self.parser.get_http_version(), sum(name == b"host" for name, _ in self.headers)
        if version not in {"1.0", "1.1"}:
            self._raise(Fault(400, Code.BAD_REQUEST, "Speak HTTP/1.1."))
        if hosts > 1 or (not hosts and version == "1.1"):
            self._raise(Fault(400, Code.BAD_REQUEST, "A request names its host once."))

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._counts.body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next request may come."""
        super().on_message_complete()
        self._stage, self._counts = _Stage.REQUEST, Counts()

    def _unsupported_upgrade_warning(self) -> None:
        """Says nothing: such a request is answered, and its connection ends."""

    def _raise(self, fault: Fault) -> NoReturn:
        """Stops the parser; `send_400_response` tells of it."""
        self._fault = fault
        raise fault

    # Time

    def _mind_the_time(self) -> None:
        """A timer for what has begun and is not whole; a request that came at once needs none."""
        wanted = self._stage
        if wanted is _Stage.REQUEST:
            if not self._counts.untold:
                self._untime()
                return
            wanted = _Stage.HEAD  # line ends before a request: no reason to wait for ever
        if self._timed is not wanted:
            self._time(wanted)

    def _time(self, stage: _Stage) -> None:
        self._untime()
        settings, self._timed = self._bounds.settings, stage
        if stage is _Stage.HEAD:
            self._timer = self.loop.call_later(settings.head_timeout_s, self._head_is_late)
        else:
            self._body_before = self._counts.body
            self._timer = self.loop.call_later(settings.body_timeout_s, self._look_at_body)

    def _untime(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._timed = None, None

    def _head_is_late(self) -> None:
        is_answered = self.cycle is None or self.cycle.response_complete
        if self._stage is _Stage.REQUEST and not is_answered:
            self._time(_Stage.HEAD)  # a stray line end after a request breaks off no answer
        elif self._stage is _Stage.REQUEST and not self._counts.untold:
            self._close()
        else:
            self._end(Fault(408, Code.BAD_REQUEST, "The head of the request took too long."))

    def _look_at_body(self) -> None:
        """A body must go on, unless it is us who do not read."""
        settings, cycle = self._bounds.settings, self.cycle
        came = self._counts.body - self._body_before
        if came >= settings.body_rate_min * settings.body_timeout_s or self._waits_for_us():
            self._time(_Stage.BODY)
        elif cycle.response_complete:
            self._close()
        else:
            self._end(Fault(408, Code.BAD_REQUEST, "The body of the request took too long."))

    def _waits_for_us(self) -> bool:
        """Whether what was sent has not been read yet, or the client was not told to go on."""
        cycle = self.cycle
        is_unread = self.flow.read_paused or cycle.waiting_for_100_continue or bool(cycle.body)
        return is_unread and not cycle.response_complete

    def pause_writing(self) -> None:
        """The client does not read what it is sent."""
        super().pause_writing()
        if self._slow_reader is None:
            self._slow_reader = self.loop.call_later(self._bounds.settings.send_timeout_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._slow_reader is not None:
            self._slow_reader.cancel()
            self._slow_reader = None

    # The end

    def send_400_response(self, msg: str) -> None:
        """What the parser does not take, or what stopped it."""
        self._end(self._fault or Fault(400, Code.BAD_REQUEST, msg))

    def _end(self, fault: Fault, *, lingers: bool = True) -> None:
        """Tells of a fault, unless an answer is under way, and ends the connection."""
        self._is_over = True
        self._untime()
        REFUSALS.labels(fault.code).inc()
        if self.transport.is_closing():
            return
        is_told = self._may_answer()
        if is_told:
            self.transport.write(answer(fault))
        self._break_off()
        if is_told and lingers:
            self.flow.resume_reading()
            self.transport.write_eof()
            self.loop.call_later(LINGERS_S, self.transport.abort)
        else:
            self._close()

    def _throw_away(self, length_bytes: int) -> None:
        self._thrown_away += length_bytes
        if self._thrown_away > LINGERS_MAX_BYTES:
            self.flow.pause_reading()

    def _may_answer(self) -> bool:
        """Whether what is written next is the answer to the request that is at fault."""
        if self._stage is _Stage.BODY:
            return not (self.cycle.response_started or self.pipeline)
        return self.cycle is None or self.cycle.response_complete

    def _break_off(self) -> None:
        """Whoever reads the request learns that no more of it comes."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected, self.cycle.waiting_for_100_continue = True, False
            self.cycle.message_event.set()
        self.pipeline.clear()

    def _close(self) -> None:
        self._is_over = True
        self.transport.close()
