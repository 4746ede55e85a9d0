"""What statistics give away, whatever people do and however often one looks."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from bubbles import ids, stats
from bubbles.db import listening
from bubbles.db.heard import FIGURES
from bubbles.db.listening import Audience
from bubbles.model.bubble import Bubble
from bubbles.model.listening import Play
from tests.db.test_listening import add_bubble

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
DURATION_S = 100.0
LEAST_S = {"downloads": 999, "starts": 1, "listeners": 1, "listens": 5, "completions": 90, "heard_s": 5}
"""What must be heard of such a bubble to be a part of a figure."""


@dataclass(frozen=True)
class Act:
    """A play: so many hours after the one before, from a network, by an agent of it."""

    hours: int
    network: int
    agent: int
    heard_s: int


ACTS = st.lists(
    st.builds(
        Act,
        hours=st.sampled_from([0, 0, 1, 1, 7, 30]),
        network=st.integers(0, 6),
        agent=st.integers(0, 3),
        heard_s=st.sampled_from([0, 1, 4, 20, 95]),
    ),
    min_size=1,
    max_size=30,
)
ALONE = [Act(hours=8, network=0, agent=number, heard_s=95) for number in range(30)]
MANY = [Act(hours=number % 3, network=number % 7, agent=number % 4, heard_s=95) for number in range(30)]


def play(session: Session, bubble: Bubble, act: Act, at: datetime) -> None:
    who = f"{at.date()} {act.network}"
    row = Play(
        bubble_id=bubble.id, play=ids.new_code(), visitor=f"{who} {act.agent}".encode(), audience=Audience.LISTENER,
        heard=[], heard_s=act.heard_s, started_at=at, last_at=at, network=who.encode(), network_people=2,
        closed=bubble.visibility != "public", heard_before_s=0,
    )  # fmt: skip
    listening.begin_play(session, row)


def hidden_from_any_one(session: Session, visibility: str, acts: list[Act], names: tuple[str, ...]) -> None:
    """Looks each hour: what made a cell change is always more than one network's, and what is left five people's."""
    bubble, now = add_bubble(session, duration_s=DURATION_S), MONDAY
    bubble.visibility = visibility  # type: ignore[assignment] # a string in the database
    session.flush()
    since = dict[str, set[tuple[str, int, int]]]((name, set()) for name in names)
    seen = {name: stats.of_bubble(session, bubble.id, now=now)[Audience.LISTENER][name] for name in names}
    for act, following in zip(acts, [*acts[1:], None], strict=True):
        now += act.hours * HOUR
        play(session, bubble, act, now)
        for name in names:
            if act.heard_s >= LEAST_S[name]:
                since[name].add((str(now.date()), act.network, act.agent))
        if following and not following.hours:
            continue
        told = stats.of_bubble(session, bubble.id, now=now + HOUR)[Audience.LISTENER]
        for name in names:
            if told[name] not in {seen[name], stats.FEW}:
                assert others_at_least(since[name]) >= stats.PEOPLE_MIN - 2
                assert name == "heard_s" or int(told[name]) % stats.PEOPLE_MIN == 0
                since[name] = set()
            seen[name] = told[name]


def others_at_least(people: set[tuple[str, int, int]]) -> int:
    """Of how many people at least one is told who is a network, two of whom count for each network and day."""
    agents = defaultdict[tuple[str, int], set[int]](set)
    for day, network, agent in people:
        agents[day, network].add(agent)
    networks = {network for _, network in agents}
    return min(sum(min(2, len(found)) for (_, network), found in agents.items() if network != one) for one in networks)


ONE_SESSION = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(ACTS)
@example(ALONE)
@example(MANY)
@ONE_SESSION
def test_no_figure_of_what_is_not_public_tells_what_one_did(session: Session, acts: list[Act]) -> None:
    hidden_from_any_one(session, "unlisted", acts, FIGURES)


@given(ACTS)
@example(ALONE)
@example(MANY)
@ONE_SESSION
def test_the_number_of_listeners_tells_of_no_one(session: Session, acts: list[Act]) -> None:
    hidden_from_any_one(session, "public", acts, ("listeners",))


@given(st.lists(st.tuples(st.sampled_from([0, 1, 7, 30]), st.integers(0, 60)), min_size=1, max_size=40))
@ONE_SESSION
def test_one_network_opens_nothing_whatever_it_does(session: Session, acts: list[tuple[int, int]]) -> None:
    bubble, now = add_bubble(session, duration_s=DURATION_S), MONDAY
    bubble.visibility = "unlisted"  # type: ignore[assignment] # a string in the database
    session.flush()
    for hours, agent in acts:
        now += hours * HOUR
        play(session, bubble, Act(hours, 0, agent, 95), now)
        told = stats.of_bubble(session, bubble.id, now=now + HOUR)[Audience.LISTENER]
        assert set(told.values()) == {stats.FEW}


def test_many_networks_do_open_what_they_do(session: Session) -> None:
    """Else the tests above would hold of a figure that never opens."""
    bubble = add_bubble(session, duration_s=DURATION_S)
    bubble.visibility = "unlisted"  # type: ignore[assignment] # a string in the database
    session.flush()
    for act in MANY:
        play(session, bubble, act, MONDAY)
    told = stats.of_bubble(session, bubble.id, now=MONDAY + HOUR)[Audience.LISTENER]
    assert (told["starts"], told["listeners"]) == (30, 25)
