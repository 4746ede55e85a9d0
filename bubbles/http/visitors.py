"""Who listens: the address and the user agent of a request, held in memory until they are a pseudonym of the day."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.requests import Request
from starlette.types import Scope

from bubbles.config import Settings
from bubbles.db.listening import Audience
from bubbles.db.networks import PEOPLE_MAX, SHARED_PEOPLE_MAX
from bubbles.http import agents, auth
from bubbles.listen import Network, Visitor
from bubbles.model.channel import Role

HOPS_MAX = 20
"""Of `X-Forwarded-For`, from the right: nobody has more proxies in a row."""

Address = IPv4Address | IPv6Address


def visitor(request: Request, role: Role | None) -> Visitor:
    """Who asks; `role` is what they are in the team of the bubble's channel, if anything."""
    agent = request.headers.get("user-agent", "").strip()[: agents.AGENT_MAX]
    found = address(request)
    network = _network(auth.house(request).settings, found)
    return Visitor(address=network_of(found), agent=agent, audience=audience(agent, role), network=network)


def _network(settings: Settings, found: Address | None) -> Network:
    name = wider_network_of(found) or str(found or "")
    if found and is_shared(settings, found):
        return Network(name, settings.visitors_per_shared_network, SHARED_PEOPLE_MAX)
    return Network(name, settings.visitors_per_network, PEOPLE_MAX)


def is_shared(settings: Settings, found: Address) -> bool:
    """Whether the operator lists an address as one that many people share."""
    return any(found in network for network in networks(settings.shared_networks))


def audience(agent: str, role: Role | None) -> Audience:
    """Team first, whatever program they use; then what says that it is a bot, or says nothing."""
    if role is not None:
        return Audience.TEAM
    return Audience.BOT if not agent or agents.is_crawler(agent) else Audience.LISTENER


def address(request: Request) -> Address | None:
    """Where a request comes from; None when the peer has no address (a socket file).

    `X-Forwarded-For` counts only as far as trusted proxies wrote it: from the right, the first hop that is none.
    """
    return address_of(auth.house(request).settings, request.scope)


def address_of(settings: Settings, scope: Scope) -> Address | None:
    """As `address`, of a request that no route has yet."""
    peer = scope["client"][0] if scope.get("client") else ""
    hop, trusted = parsed(peer), networks(settings.trusted_proxies)
    lines = [value.decode("latin-1") for name, value in scope["headers"] if trusted and name == b"x-forwarded-for"]
    hops = ",".join(lines).split(",")[-HOPS_MAX:] if lines else []
    while hop is not None and hops and any(hop in network for network in trusted):
        before = parsed(hops.pop())
        if before is None:
            break
        hop = before
    return hop


def comes_through_proxy(request: Request) -> bool:
    """Whether it is a proxy of ours that is connected to us."""
    return request.client is not None and is_trusted(auth.house(request).settings, request.client.host)


def is_trusted(settings: Settings, peer: str) -> bool:
    """Whether a peer is one of the proxies that the settings trust."""
    hop = parsed(peer)
    return hop is not None and any(hop in network for network in networks(settings.trusted_proxies))


def parsed(text: str) -> Address | None:
    """An address as proxies write it, with or without brackets and port; IPv4 inside IPv6 is IPv4. Else None."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def network_of(found: Address | None) -> str:
    """What of an address names a visitor: IPv4, or the first 64 bits of IPv6, which are one household."""
    if isinstance(found, IPv6Address):
        return str(ip_network((int(found) >> 64 << 64, 64)))
    return str(found or "")


def wider_network_of(found: Address | None) -> str:
    """The first 48 bits of IPv6, which one customer may hold whole; nothing for others."""
    return str(ip_network((int(found) >> 80 << 80, 48))) if isinstance(found, IPv6Address) else ""


def networks_around(found: Address | None) -> list[str]:
    """What holds a network and may be one guesser's, the narrowest first: 24 bits of IPv4; 48 and 32 bits of IPv6."""
    if found is None:
        return []
    lengths = (48, 32) if isinstance(found, IPv6Address) else (24,)
    return [str(ip_network(f"{found}/{length}", strict=False)) for length in lengths]


@lru_cache(maxsize=8)
def networks(listed: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Comma-separated addresses or networks; raises ValueError."""
    return tuple(ip_network(each.strip(), strict=False) for each in listed.split(",") if each.strip())
