"""Turns for what anybody may ask of the database: searches, lists and maps. Nobody else waits for those who ask."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bubbles.config import Settings
from bubbles.errors import Busy
from bubbles.http import visitors


class Turns:
    """So many ask at once, the others wait, though not for long. One network's have half of the turns at most.

    A crowd of one network waits for itself first, so that whoever comes from elsewhere finds it before them only as
    far as it has turns.
    """

    def __init__(self, at_once: int, wait_s: float) -> None:
        self._places = anyio.CapacityLimiter(at_once)
        self._of_network: defaultdict[str, anyio.CapacityLimiter] = defaultdict(
            lambda: anyio.CapacityLimiter(max(1, at_once // 2))
        )
        self._wait_s = wait_s

    @asynccontextmanager
    async def one(self, network: str = "") -> AsyncIterator[Callable[[], None]]:
        """A turn, and what ends it early; raises `Busy` when none came in time. `network` is empty for who has none."""
        who, taken = object(), list[anyio.CapacityLimiter]()
        wanted = [self._of_network[network], self._places] if network else [self._places]

        def end() -> None:
            while taken:
                taken.pop().release_on_behalf_of(who)

        try:
            await self._take(who, wanted, taken)
            yield end
        finally:
            end()
            self._forget(network)

    async def _take(self, who: object, wanted: list[anyio.CapacityLimiter], taken: list[anyio.CapacityLimiter]) -> None:
        try:
            with anyio.fail_after(self._wait_s):
                for places in wanted:
                    await places.acquire_on_behalf_of(who)
                    taken.append(places)
        except TimeoutError:
            raise Busy("Too many ask just now; try again in a moment.") from None

    def _forget(self, network: str) -> None:
        """Keeps no network that nobody asks from."""
        if network in self._of_network:
            used = self._of_network[network].statistics()
            if not used.borrowed_tokens and not used.tasks_waiting:
                del self._of_network[network]


def network_of(scope: Scope, settings: Settings) -> str:
    """The network whose turns a request takes: IPv4, or 48 bits of IPv6; none where many people share it."""
    found = visitors.address_of(settings, scope)
    if found is None or visitors.is_shared(settings, found):
        return ""
    return visitors.wider_network_of(found) or str(found)


class InTurn:
    """Has a route wait for its turn, in no thread and with no connection. It ends when the answer begins.

    Whoever is slow to take an answer holds no turn.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers in turn."""
        state = scope["app"].state
        turns: Turns = state.turns
        async with turns.one(network_of(scope, state.house.settings)) as end:

            async def sent(message: Message) -> None:
                end()
                await send(message)

            await self._app(scope, receive, sent)
