"""Counts that tell whether a proxy stands in front that the settings do not name.

Then all visitors are one address: fifty wrong passwords shut everyone out, and five followers take all seats. What is
counted is kept in memory for the hour and written down as numbers; the one address that is compared with is in memory
alone, and forgotten with its hour.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from bubbles.app import House
from bubbles.db import front as rows
from bubbles.db.engine import Database
from bubbles.http import visitors
from bubbles.http.log import PROBES
from bubbles.http.visitors import Address
from bubbles.meters import FORWARDED_IGNORED
from bubbles.model.front import ENOUGH, Front
from bubbles.model.times import hour_of

WRITE_EVERY_S = 60.0
FORWARDED = {b"x-forwarded-for", b"forwarded"}
log = structlog.get_logger()


@dataclass
class _Hour:
    """What was seen since an hour began."""

    began_at: datetime
    requests: int = 0
    forwarded: int = 0
    forwarded_near: int = 0
    address: Address | None = None
    is_one: bool = True

    @property
    def is_one_private(self) -> bool:
        return self.is_one and self.address is not None and is_near(self.address)

    def row(self, process_id: UUID) -> Front:
        return Front(
            process_id=process_id,
            hour=self.began_at,
            requests=self.requests,
            forwarded=self.forwarded,
            forwarded_near=self.forwarded_near,
            is_one_private=self.is_one_private,
        )


@dataclass
class FrontCounts:
    """The counts of one web process; lives on the event loop."""

    house: House
    process_id: UUID = field(default_factory=uuid4)
    hours: list[_Hour] = field(default_factory=list)
    """This hour, and the one before as long as it is not written down."""

    _warned: set[str] = field(default_factory=set)

    def count(self, scope: Scope) -> None:
        """Takes a request into account."""
        if scope["path"] in PROBES:  # asked by monitoring, from a private network: no visitor
            return
        hour, peer = self._hour(), scope["client"][0] if scope.get("client") else ""
        hour.requests += 1
        if hour.is_one:
            address = visitors.address_of(self.house.settings, scope)
            hour.is_one = hour.requests == 1 or address == hour.address
            hour.address = address
        if any(name in FORWARDED for name, _ in scope["headers"]):
            self._forwarded(hour, peer)

    def _forwarded(self, hour: _Hour, peer: str) -> None:
        hop = visitors.parsed(peer)
        if hop is None or visitors.is_trusted(self.house.settings, peer):
            return
        near = is_near(hop)
        hour.forwarded += 1
        hour.forwarded_near += near
        FORWARDED_IGNORED.labels("near" if near else "far").inc()
        if near:
            self._warn("forwarded_by_untrusted_peer", "name that proxy in BUBBLES_TRUSTED_PROXIES")

    def _hour(self) -> _Hour:
        began_at = hour_of(self.house.now())
        if not self.hours or self.hours[-1].began_at != began_at:
            self.hours = [*self.hours[-1:], _Hour(began_at)]
        return self.hours[-1]

    def _warn(self, event: str, detail: str) -> None:
        """Says it once."""
        if event not in self._warned:
            self._warned.add(event)
            log.warning(event, detail=detail)

    def taken(self) -> list[Front]:
        """The counts to write down, hour by hour. The hour before is done with then."""
        hours, self.hours = self.hours, self.hours[-1:]
        if any(hour.is_one_private and hour.requests >= ENOUGH for hour in hours) and not self.house.settings.is_local:
            self._warn("visitors_are_one_address", "`bubbles doctor` says what to do")
        return [hour.row(self.process_id) for hour in hours if hour.requests]


@contextlib.asynccontextmanager
async def kept(counts: FrontCounts) -> AsyncIterator[None]:
    """Meanwhile, writes the counts down every minute."""
    writing = asyncio.create_task(_write(counts))
    try:
        yield
    finally:
        writing.cancel()


async def _write(counts: FrontCounts) -> None:
    while True:
        await asyncio.sleep(WRITE_EVERY_S)
        with contextlib.suppress(SQLAlchemyError):  # what is lost is a minute: the next one tells the hour again
            await run_in_threadpool(store, counts.house.database, counts.taken())


def store(database: Database, counted: list[Front]) -> None:
    """Puts counts in the place of those that the process wrote before."""
    if counted:
        with database.transaction() as session:
            rows.write(session, counted)


def is_near(address: Address) -> bool:
    """Whether an address is not one of the open Internet: a private network's, a carrier's, this machine's."""
    return not address.is_global
