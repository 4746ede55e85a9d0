"""Cues in and out."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbles.model.cue import Cue
from bubbles.speech.vtt import clean, to_srt, to_txt, to_vtt
from tests.speech.vtt_reading import parse_vtt

HOSTILE = (
    "-->",
    "a --> b",
    "\n\n2\n00:00:00.000 --> 00:00:09.000\ngotcha",
    "\r\rNOTE gotcha",
    "\u2028\u2028STYLE\u2028::cue { color: red }",
    "\x85\x85WEBVTT",
    "</c><c.unsure><b>bold</b>",
    "&lt;b&gt; &amp; <i>",
    "\x00\x1b[31m\ud800\ufffe",
    "{\\an8}<font color=red>",
    "--->-->",
)

times = st.integers(0, 7_200_000).map(lambda ms: ms / 1000)
texts = st.text(max_size=60) | st.sampled_from(HOSTILE) | st.lists(st.sampled_from(HOSTILE)).map("".join)


@st.composite
def cue_lists(draw: st.DrawFn) -> list[Cue]:
    ends = sorted(draw(st.sets(times, min_size=2, max_size=12)))
    spans = itertools.pairwise(ends)
    return [Cue(start, end, draw(texts), draw(st.booleans())) for start, end in spans]


@given(cue_lists())
def test_what_we_write_we_read_again(cues: list[Cue]) -> None:
    kept = [Cue(cue.start_s, cue.end_s, clean(cue.text), cue.unsure) for cue in cues if clean(cue.text)]
    assert parse_vtt(to_vtt(cues)) == kept


@given(cue_lists())
def test_no_text_starts_another_cue_or_block(cues: list[Cue]) -> None:
    spoken = sum(bool(clean(cue.text)) for cue in cues)
    header, *blocks = to_vtt(cues).rstrip("\n").split("\n\n")
    assert header == "WEBVTT"
    assert len(blocks) == spoken
    for block in blocks:
        timing, text = block.split("\n")
        assert timing[13:16] == "-->" and "-->" not in text
        assert len(block.splitlines()) == 2


@given(cue_lists())
def test_subrip_has_three_lines_for_each_cue_and_no_markup(cues: list[Cue]) -> None:
    spoken = sum(bool(clean(cue.text)) for cue in cues)
    blocks = [block for block in to_srt(cues).split("\n\n") if block]
    assert len(blocks) == spoken
    for number, block in enumerate(blocks, 1):
        count, timing, text = block.strip("\n").splitlines()
        assert count == str(number) and timing[13:16] == "-->"
        assert not set("<>{}") & set(text)


@given(cue_lists())
def test_everything_can_be_sent(cues: list[Cue]) -> None:
    for written in (to_vtt(cues), to_srt(cues), to_txt(cues)):
        written.encode()
        assert not any(ord(char) < 32 and char != "\n" for char in written)


@pytest.mark.parametrize("bad_s", [math.nan, math.inf, -math.inf, -3.0])
def test_broken_times_do_not_break_the_file(bad_s: float) -> None:
    cues = [Cue(bad_s, bad_s, "broken"), Cue(1, 2, "whole")]
    assert parse_vtt(to_vtt(cues)) == [Cue(0.0, 0.001, "broken"), Cue(1, 2, "whole")]


def test_a_file_looks_like_this() -> None:
    cues = [Cue(3661.5, 3662.0, "later", unsure=True), Cue(0.0004, 1.2346, "R&D <now>")]
    assert to_vtt(cues) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.235\nR&amp;D &lt;now&gt;\n\n"
        "01:01:01.500 --> 01:01:02.000\n<c.unsure>later</c>\n"
    )
    assert to_srt(cues) == (
        "1\n00:00:00,000 --> 00:00:01,235\nR&D ‹now›\n\n2\n01:01:01,500 --> 01:01:02,000\n[?] later\n"
    )
    assert to_txt(cues) == "R&D <now>\n[?] later\n"


def test_no_cues_still_make_a_file() -> None:
    assert to_vtt([]) == "WEBVTT\n"
    assert parse_vtt(to_vtt([])) == []
    assert to_srt([]) == to_txt([]) == ""


def test_ordinary_files_of_others_are_read() -> None:
    file = (
        "\ufeffWEBVTT - a title\r\nKind: captions\r\n\r\nNOTE\r\nnot --> me\r\n\r\nSTYLE\r\n::cue {}\r\n\r\n"
        "intro\r\n00:01.000 --> 00:04.000 align:start position:0%\r\n"
        "<v Ann>Hello\r\n<i>you</i> &amp;&nbsp;me\r\n\r\n\r\n"
        "100:00:05.000 --> 100:00:06.000\r\n<c.yellow.unsure>maybe</c>\r\n\r\n"
        "00:09.000 --> 00:08.000\r\nbackwards\r\n\r\n00:7.0 --> 00:08.000\r\nbroken"
    )
    assert parse_vtt(file) == [
        Cue(1.0, 4.0, "Hello you & me"),
        Cue(360_005.0, 360_006.0, "maybe", unsure=True),
    ]


@pytest.mark.parametrize("text", ["", "hello", "WEBVTTX", "1\n00:00:01,000 --> 00:00:02,000\nsrt"])
def test_what_is_no_webvtt_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="WEBVTT"):
        parse_vtt(text)
