"""A watch on a call of a bucket: when its time is over, its connection is cut, whatever the call waits for.

A socket's time-out bounds each silence; a server that gives a byte now and then would be waited for for ever.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPConnectionPool, AWSHTTPSConnection, AWSHTTPSConnectionPool
from botocore.response import StreamingBody

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

POLL_MIN_S = 0.05
_call = threading.local()


class OutOfTime(Exception):
    """The call has taken all its time."""


class Watch:
    """The time that a call has, in a thread of its own."""

    def __init__(self, time_s: float) -> None:
        self.deadline_s = time.monotonic() + time_s
        self.connection: Any = None
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def is_due(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.deadline_s

    def end(self) -> None:
        """The call has ended: its connection may be another's from now on."""
        with self._lock:
            self._is_over.set()

    def _run(self) -> None:
        while not self._is_over.wait(max(self.deadline_s - time.monotonic(), POLL_MIN_S)):
            with self._lock:
                if self.is_due and not self._is_over.is_set():
                    self._cut()

    def _cut(self) -> None:
        found = getattr(self.connection, "sock", None)
        if found is not None:
            with suppress(OSError):  # it is closed already
                socket.socket.shutdown(found, socket.SHUT_RDWR)  # below TLS, where another thread waits


@contextmanager
def watched(time_s: float) -> Iterator[None]:
    """Give what is asked in this thread so much time. A call within a call has the time that the outer one has."""
    if _current() is not None:
        yield
        return
    _call.watch = watch = Watch(time_s)
    try:
        yield
    finally:
        _call.watch = None
        watch.end()


def require_time() -> None:
    """Raises OutOfTime when the call that is under way in this thread has taken all of its time."""
    watch = _current()
    if watch is not None and watch.is_due:
        raise OutOfTime


def hold(body: StreamingBody) -> None:
    """Have the call that is under way in this thread watch the connection of an answer that an earlier call got."""
    watch = _current()
    if watch is not None:
        stream: Any = body
        watch.connection = getattr(stream._raw_stream, "connection", None)  # boto3 has no other way to a socket


def give_time(time_s: float) -> None:
    """Let the call that is under way in this thread take so much longer."""
    watch = _current()
    if watch is not None:
        watch.deadline_s += time_s


def install(client: "S3Client") -> None:
    """Have the connections of a client tell the watch of themselves, and no request begin after its time."""
    client.meta.events.register("before-send.s3", lambda **_: require_time())
    session: Any = client._endpoint.http_session  # type: ignore[attr-defined] # boto3 has no other way to a socket
    session._pool_classes_by_scheme.update(http=_Pool, https=_SecurePool)


def _current() -> Watch | None:
    return getattr(_call, "watch", None)


class _Telling:
    def request(self, *arguments: Any, **named: Any) -> Any:
        watch = _current()
        if watch is not None:
            watch.connection = self
        return super().request(*arguments, **named)  # type: ignore[misc] # mixed into a connection


class _Connection(_Telling, AWSHTTPConnection):  # type: ignore[misc] # the stubs of botocore disagree with themselves
    pass


class _SecureConnection(_Telling, AWSHTTPSConnection):  # type: ignore[misc] # as above
    pass


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(AWSHTTPSConnectionPool):
    ConnectionCls = _SecureConnection
