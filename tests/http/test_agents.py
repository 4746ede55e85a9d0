"""User agents: the same verdicts as crawlerdetect's, on any text."""

from functools import lru_cache

import pytest
from crawlerdetect import CrawlerDetect
from crawlerdetect.providers import crawlers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bubbles.http import agents
from bubbles.http.agents import is_crawler

PIECES = ["Mozilla/5.0", " Chrome/1", "Yandex", "YandexSearch", "bot", "cubot", "curl", "Go 1.2 package http", "é"]
NAMES = st.sampled_from([*crawlers.data[:400:7], *PIECES])
TEXTS = st.one_of(st.text(st.characters(max_codepoint=255)), st.lists(NAMES, max_size=12).map("".join))


@lru_cache(maxsize=1)
def reference() -> CrawlerDetect:
    return CrawlerDetect()


@given(TEXTS.map(str.strip))
@settings(max_examples=200, deadline=None)
@example("YandexSearch/1.0")
@example("Yandex.Market")
@example("cubot")
def test_the_verdict_is_crawlerdetects(agent: str) -> None:
    assert is_crawler(agent) == reference().is_crawler(agent[: agents.AGENT_MAX])


def test_a_bots_name_is_looked_for_in_a_bounded_part() -> None:
    assert not is_crawler("x" * 60_000 + "Googlebot")
    assert is_crawler("x" * 200 + "Googlebot")


@pytest.mark.parametrize("agent", ["curl/8.5.0", "Slackbot 1.0", "Mozilla/5.0 (compatible; YandexBot/3.0)"])
def test_programs_are_found(agent: str) -> None:
    assert is_crawler(agent)


def test_hardly_a_pattern_is_left_to_the_engine_that_strangers_can_slow_down() -> None:
    assert len(agents._BEYOND_RE2) <= 2
