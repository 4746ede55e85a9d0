"""Visitors who are ever new, from one network: counted up to a bound, and apart beyond it."""

from typing import Any

import pytest
from sqlmodel import func, select

from bubbles.model.listening import Crowd, NetworkDay, Play, Served

BOUND = 3


@pytest.fixture(autouse=True)
def bounded(house: Any) -> None:
    house.settings.visitors_per_network = BOUND
    house.settings.visitors_per_shared_network = 2 * BOUND
    house.settings.shared_networks = "198.51.100.0/24, 2001:db8:5::/48"


def begin(peer: Any, bubble: Any, host: str, agent: str, *, heard: Any = ()) -> int:
    told = {"code": bubble.code, "play": f"play-{host}-{agent}".translate({46: "-", 58: "-"}), "heard": list(heard)}
    return int(peer(host, f"Firefox {agent}").post("/api/listens", json=told).status_code)


def counted(house: Any, table: Any, bubble: Any) -> int:
    with house.database.transaction() as session:
        return session.exec(select(func.count()).select_from(table).where(table.bubble_id == bubble.id)).one()


def crowd(house: Any, bubble: Any) -> tuple[int, int]:
    """`(starts, downloads)`."""
    with house.database.transaction() as session:
        row = session.exec(select(Crowd).where(Crowd.bubble_id == bubble.id)).first()
        return (row.starts, row.downloads) if row else (0, 0)


def test_plays_of_ever_new_agents_are_a_crowd(peer: Any, world: Any, house: Any) -> None:
    bubble = world.bubble()
    assert {begin(peer, bubble, "192.0.2.1", f"a{number}") for number in range(BOUND + 4)} == {204}
    assert (counted(house, Play, bubble), crowd(house, bubble)) == (BOUND, (4, 0))
    assert begin(peer, bubble, "192.0.2.1", "a9", heard=[(0, 5)]) == 204
    assert (counted(house, Play, bubble), crowd(house, bubble)) == (BOUND, (4, 0))


def test_downloads_of_ever_new_agents_are_a_crowd(peer: Any, world: Any, house: Any) -> None:
    bubble = world.bubble()
    for number in range(BOUND + 4):
        assert peer("192.0.2.1", f"Firefox {number}").get(f"/media/{bubble.code}.m4a").status_code == 200
    assert (counted(house, Served, bubble), crowd(house, bubble)) == (BOUND, (0, 4))


def test_who_downloads_and_plays_is_one_visitor(peer: Any, world: Any, house: Any) -> None:
    bubble = world.bubble()
    for number in range(BOUND + 1):
        begin(peer, bubble, "192.0.2.1", str(number))
        peer("192.0.2.1", f"Firefox {number}").get(f"/media/{bubble.code}.ogg")
    assert (counted(house, Play, bubble), counted(house, Served, bubble)) == (BOUND, BOUND)
    assert crowd(house, bubble) == (1, 1)


def test_who_was_counted_goes_on_being_counted(peer: Any, world: Any, house: Any, clock: Any) -> None:
    bubble = world.bubble()
    for number in range(BOUND + 1):
        begin(peer, bubble, "192.0.2.1", str(number))
    clock.pass_s(60)
    begin(peer, bubble, "192.0.2.1", "0", heard=[(0, 50)])
    with house.database.transaction() as session:
        heard = session.exec(select(Play.heard_s).where(Play.bubble_id == bubble.id)).all()
    assert sorted(heard) == [0, 0, 50]


@pytest.mark.parametrize("agent", ["Firefox {}", "curl/{}"])
def test_bots_leave_no_more_rows_than_people(peer: Any, world: Any, house: Any, agent: str) -> None:
    bubble = world.bubble()
    for number in range(BOUND + 2):
        peer("192.0.2.1", agent.format(number)).get(f"/media/{bubble.code}.m4a")
    assert (counted(house, Served, bubble), crowd(house, bubble)) == (BOUND, (0, 2))


@pytest.mark.parametrize(
    ("hosts", "admitted"),
    [
        (["2001:db8:1:{}::1"], BOUND),
        (["2001:db8:{}::1"], 2 * BOUND),
        (["192.0.2.{}"], 2 * BOUND),
        (["2001:db8:5:{}::1"], 2 * BOUND),
        (["198.51.100.7"], 2 * BOUND),
    ],
    ids=["one IPv6 /48", "many IPv6 /48", "many IPv4", "a shared IPv6 /48", "a shared IPv4"],
)
def test_a_network_is_an_ipv4_address_or_48_bits_of_ipv6(
    peer: Any, world: Any, house: Any, hosts: list[str], admitted: int
) -> None:
    bubble = world.bubble()
    for number in range(2 * BOUND):
        begin(peer, bubble, hosts[0].format(number + 10), f"agent{number}")
    assert counted(house, Play, bubble) == admitted


def test_no_network_is_stored(peer: Any, world: Any, house: Any) -> None:
    bubble = world.bubble()
    begin(peer, bubble, "192.0.2.1", "a")
    peer("192.0.2.1", "Firefox a").get(f"/media/{bubble.code}.m4a")
    with house.database.transaction() as session:
        rows = [session.exec(select(table).where(table.bubble_id == bubble.id)).one() for table in (Play, Served)]
        known = session.exec(select(NetworkDay).where(NetworkDay.bubble_id == bubble.id)).one()
    assert rows[0].network == rows[1].network == known.network
    assert len(known.network) == 16
    assert "192.0.2" not in repr(rows) + repr(known)


def test_no_row_tells_which_bubbles_one_network_heard(peer: Any, world: Any, house: Any) -> None:
    bubbles = [world.bubble() for _ in range(2)]
    for bubble in bubbles:
        begin(peer, bubble, "192.0.2.1", "a")
    with house.database.transaction() as session:
        rows = [session.exec(select(Play.network).where(Play.bubble_id == bubble.id)).one() for bubble in bubbles]
    assert rows[0] != rows[1]
