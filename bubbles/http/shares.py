"""What one network may hold at once: seats, connections. The network around it has a share too, since one customer may
hold all of its smaller ones."""

from collections import Counter

from bubbles.http import visitors
from bubbles.http.visitors import Address

WIDER = 5
"""How many times as much 48 bits of IPv6 may hold as the 64 bits within."""


class Shares:
    """Counts what each network holds. Lives on the event loop, so that it needs no lock."""

    def __init__(self, per_network: int) -> None:
        self.held: Counter[str] = Counter()
        self._per_network = per_network

    def take(self, address: Address | None) -> bool:
        """Takes one for who is at an address; False when their network, or the one around it, has its share."""
        limits = self._limits(address)
        if any(self.held[network] >= limit for network, limit in limits.items()):
            return False
        self.held.update(limits.keys())
        return True

    def give_back(self, address: Address | None) -> None:
        """Gives back one that was taken."""
        for network in self._limits(address):
            self.held[network] -= 1
            if not self.held[network]:
                del self.held[network]

    def _limits(self, address: Address | None) -> dict[str, int]:
        """How much each network around an address may hold."""
        wider = visitors.wider_network_of(address)
        around = {wider: WIDER * self._per_network} if wider else {}
        return {visitors.network_of(address): self._per_network} | around
