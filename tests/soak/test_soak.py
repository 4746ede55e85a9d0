"""What judges a soak: how growth is reckoned, and what a fault explains. The soak itself is `make soak`."""

import random
from itertools import islice

import pytest

from tests.soak import ending
from tests.soak.__main__ import Plan, kinds
from tests.soak.asking import Asking
from tests.soak.faults import GRACE_S, KINDS, Trouble, Window
from tests.soak.gauges import Sample, slope_per_hour, warm

EVERY_S = 15.0


def life(name: str, *levels: float, start_s: float = 0) -> list[Sample]:
    return [Sample(start_s + n * EVERY_S, "web", name, mib, mib, 20, 8) for n, mib in enumerate(levels)]


def growth(samples: list[Sample]) -> float | None:
    return slope_per_hour(samples, lambda sample: sample.rss_mib)


def test_what_grows_by_a_mebibyte_a_minute_grows_by_sixty_an_hour() -> None:
    assert growth(life("first", 100, 100.25, 100.5, 100.75)) == pytest.approx(60)


def test_a_process_that_starts_small_again_is_no_shrinking() -> None:
    both = life("first", 180, 180.25, 180.5) + life("second", 90, 90.25, 90.5, start_s=60)
    assert growth(both) == pytest.approx(60)


def test_of_single_looks_nothing_is_reckoned() -> None:
    assert growth(life("first", 100) + life("second", 300)) is None


def test_what_a_process_loads_at_its_start_is_no_growth() -> None:
    started = life("first", 10, 100, 170, 180, 181, 181, 181)
    assert growth(started) > 1000  # type: ignore[operator] # a number
    assert growth(warm(started, since_s=0)) == pytest.approx(0)
    assert warm(started, since_s=76) == started[-1:]


def window(name: str, *, target: str = "web-2") -> Window:
    kind = next(kind for kind in KINDS if kind.name == name)
    return Window(kind, target if kind.role else "", began_s=1000, well_s=1010, is_well=True)


def trouble(
    *, at_s: float = 1005, machine: str = "web-2", what: str = "look", outcome: str = "ConnectError"
) -> Trouble:
    return Trouble(at_s, at_s + 1, machine, what, outcome)


@pytest.mark.parametrize(
    ("fault", "noticed", "is_explained"),
    [
        ("web killed", trouble(), True),
        ("web killed", trouble(machine="web-1"), False),
        ("web killed", trouble(outcome="500"), False),
        ("web killed", trouble(at_s=998.5), False),
        ("web killed", trouble(at_s=1010 + GRACE_S + 0.1), False),
        ("worker killed", trouble(outcome="503 with Retry-After"), False),
        ("store refuses", trouble(outcome="503 with Retry-After"), True),
        ("store refuses", trouble(outcome="503"), False),
        ("store refuses", trouble(what="media", outcome="RemoteProtocolError"), True),
        ("store refuses", trouble(what="media", outcome="wrong bytes"), False),
        ("store returns wrong bytes", trouble(what="media", outcome="wrong bytes"), True),
        ("database restarted", trouble(machine="worker-1", what="life", outcome="exit 1"), True),
        ("database restarted", trouble(what="life", outcome="exit 1"), False),
        ("database restarted", trouble(what="log", outcome="database_away"), True),
        ("database restarted", trouble(what="log", outcome="bug"), False),
        ("disk of a web full", trouble(what="upload", outcome="503 with Retry-After"), True),
        ("disk of a web full", trouble(what="upload", outcome="500"), False),
    ],
)
def test_a_fault_explains_what_the_contract_allows_while_it_lasts(
    fault: str, noticed: Trouble, is_explained: bool
) -> None:
    assert window(fault).explains(noticed) is is_explained


def test_what_is_not_well_again_after_a_fault_is_a_trouble_that_it_does_not_explain() -> None:
    ill, well = window("web killed"), window("store refuses")
    ill.is_well = False
    (found,) = ending.unhealed([ill, well])
    assert (found.at_s, found.machine, found.outcome) == (ill.began_s, "web-2", "not well again")
    assert not any(each.explains(found) for each in (ill, well))


def test_a_seed_chooses_the_order_and_each_fault_comes_once_before_any_comes_again() -> None:
    def order(seed: int) -> list[str]:
        plan = Plan(minutes=30, seed=seed, fault_every_s=60, upload_every_s=8, only="")
        return [kind.name for kind in islice(kinds(plan), 2 * len(KINDS))]

    assert order(1) == order(1) != order(2)
    assert len(set(order(1)[: len(KINDS)])) == len(set(order(1)[len(KINDS) :])) == len(KINDS)


def test_who_finds_nobody_is_noted_and_goes_on() -> None:
    asking = Asking({"web-1": "http://127.0.0.1:1"}, gone=lambda asked: False)
    answer = asking.ask("look", "GET", "/", random.Random(1))
    assert not answer.is_success
    assert [(each.what, each.outcome) for each in asking.troubles] == [("look", "ConnectError")]


def test_a_fault_has_a_name_of_its_own_and_befalls_somebody_there_is() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert {kind.role for kind in KINDS} == {"", "web", "worker"}
