"""What few people keep to themselves: figures that open in steps of five, of whom one network is two at most."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.http.conftest import FIREFOX
from tests.http.listeners import HOUR_S, NOTHING, figures, listen, of_bubble, of_channel


def test_five_networks_open_a_figure_of_people_and_one_does_not(
    client: TestClient, peer: Any, world: Any, clock: Any
) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel)
    for number in range(5):
        listen(peer, clock, bubble, "192.0.2.1", 10, agent=f"{FIREFOX} {number}")
    clock.pass_s(HOUR_S)
    assert of_bubble(client, bubble, owner).json()["listeners"] == "<5"
    for number in range(2, 6):
        listen(peer, clock, bubble, f"192.0.2.{number}", 10)
    clock.pass_s(HOUR_S)
    assert of_bubble(client, bubble, owner).json()["listeners"] == 5
    listen(peer, clock, bubble, "192.0.2.6", 10)
    clock.pass_s(HOUR_S)
    told = of_bubble(client, bubble, owner).json()
    assert (told["listeners"], told["starts"]) == (5, 10)


def test_a_network_that_comes_back_every_day_opens_nothing(
    client: TestClient, peer: Any, world: Any, clock: Any
) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel)
    for number in range(9):
        listen(peer, clock, bubble, "192.0.2.1", 10, agent=f"{FIREFOX} {number}")
        clock.pass_s(12 * HOUR_S)
    assert of_bubble(client, bubble, owner).json()["listeners"] == "<5"


def test_a_shared_network_counts_for_many(client: TestClient, peer: Any, world: Any, clock: Any, house: Any) -> None:
    house.settings.shared_networks = "192.0.2.0/24"
    channel, owner = world.channel()
    bubble = world.bubble(channel)
    for number in range(7):
        listen(peer, clock, bubble, "192.0.2.1", 10, agent=f"{FIREFOX} {number}")
    clock.pass_s(HOUR_S)
    assert of_bubble(client, bubble, owner).json()["listeners"] == 5


@pytest.mark.parametrize("visibility", ["unlisted", "private"])
def test_every_figure_of_what_is_not_public_goes_in_steps(
    client: TestClient, peer: Any, world: Any, clock: Any, visibility: str
) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000, visibility=visibility)
    few = dict.fromkeys(NOTHING, "<5")
    assert figures(of_bubble(client, bubble, owner).json()) == few  # of nobody, too
    if visibility == "private":
        return
    clock.pass_s(2 * HOUR_S)  # to midnight
    seen = []
    for number in range(14):
        listen(peer, clock, bubble, f"192.0.2.{number}", 20)
        clock.pass_s(HOUR_S)
        seen.append(figures(of_bubble(client, bubble, owner).json()))
    steps = [
        few | dict.fromkeys(("downloads", "starts", "listens", "listeners"), n) | {"heard_s": 20 * n} for n in (5, 10)
    ]
    assert seen == [few] * 4 + steps[:1] * 5 + steps[1:] * 5


def test_what_was_heard_while_a_bubble_was_not_public_stays_in_steps_when_it_is(
    client: TestClient, peer: Any, world: Any, clock: Any
) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000, visibility="unlisted")

    def publish(visibility: str) -> None:
        assert client.patch(f"/api/bubbles/{bubble.code}", json={"visibility": visibility}, headers=owner).is_success

    listen(peer, clock, bubble, "192.0.2.1", 20)
    clock.pass_s(HOUR_S)
    publish("public")
    assert figures(of_bubble(client, bubble, owner).json()) == NOTHING
    listen(peer, clock, bubble, "192.0.2.2", 20)
    clock.pass_s(HOUR_S)
    seen = NOTHING | {"downloads": 1, "starts": 1, "listens": 1, "heard_s": 20, "listeners": "<5"}
    assert figures(of_bubble(client, bubble, owner).json()) == seen
    publish("unlisted")
    listen(peer, clock, bubble, "192.0.2.3", 20)
    clock.pass_s(HOUR_S)
    assert figures(of_bubble(client, bubble, owner).json()) == seen | {"completions": "<5"}


def test_a_play_does_not_go_on_where_a_bubble_is_public_no_more(client: TestClient, world: Any, clock: Any) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel)
    told = {"code": bubble.code, "play": "play-0001", "heard": []}
    assert client.post("/api/listens", json=told).status_code == 204
    client.patch(f"/api/bubbles/{bubble.code}", json={"visibility": "unlisted"}, headers=owner)
    clock.pass_s(60)
    assert client.post("/api/listens", json=told | {"heard": [[0, 50]]}).status_code == 409
    assert client.post("/api/listens", json=told | {"play": "play-0002"}).status_code == 204


def test_rows_that_know_no_network_open_no_further_step(
    client: TestClient, peer: Any, world: Any, clock: Any, house: Any
) -> None:
    """Of an older release: what they showed stays, and they help nobody else to open."""
    channel, owner = world.channel()
    many, few = (world.bubble(channel, visibility="unlisted") for _ in range(2))
    for bubble, people in ((many, 7), (few, 4)):
        for number in range(people):
            listen(peer, clock, bubble, f"192.0.2.{number}", 10)
    with house.database.transaction() as session:
        session.connection().exec_driver_sql(
            "UPDATE play SET network = NULL, network_people = NULL, closed = NULL, heard_before_s = NULL"
        )
    for bubble in (many, few):
        listen(peer, clock, bubble, "198.51.100.1", 10)
    clock.pass_s(HOUR_S)
    told = [of_bubble(client, bubble, owner).json() for bubble in (many, few)]
    assert [(each["starts"], each["listeners"]) for each in told] == [(5, 5), ("<5", "<5")]


def test_rows_of_an_older_release_are_no_more_exact_where_a_bubble_is_made_public(
    client: TestClient, peer: Any, world: Any, clock: Any, house: Any
) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, visibility="unlisted")
    listen(peer, clock, bubble, "192.0.2.1", 10)
    with house.database.transaction() as session:
        session.connection().exec_driver_sql(
            "UPDATE play SET network = NULL, network_people = NULL, closed = NULL, heard_before_s = NULL"
        )
    clock.pass_s(HOUR_S)
    client.patch(f"/api/bubbles/{bubble.code}", json={"visibility": "public"}, headers=owner)
    told = of_bubble(client, bubble, owner).json()
    assert not {told["starts"], told["listens"], told["completions"], told["heard_s"]} - {"<5", 0}


def test_a_channel_keeps_the_figures_of_what_is_withdrawn(
    client: TestClient, peer: Any, world: Any, clock: Any
) -> None:
    channel, owner = world.channel()
    bubble = world.bubble(channel, length_bytes=1000)
    for number in range(5):
        listen(peer, clock, bubble, f"192.0.2.{number}", 10)
    clock.pass_s(HOUR_S)
    before = figures(of_channel(client, channel, owner).json())
    assert before["downloads"] == before["starts"] == 5
    assert client.delete(f"/api/bubbles/{bubble.code}", headers=owner).status_code == 204
    assert figures(of_channel(client, channel, owner).json()) == before
