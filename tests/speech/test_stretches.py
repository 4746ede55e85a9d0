"""Stretches of a recording, and the way back from the cut sound."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bubbles.speech import stretches
from bubbles.speech.stretches import Stretch, Timeline
from bubbles.speech.transcriber import RATE_HZ

LENGTH = 60 * RATE_HZ


@st.composite
def apart(draw: st.DrawFn) -> list[Stretch]:
    edges = sorted(draw(st.sets(st.integers(0, LENGTH), min_size=2, max_size=12)))
    return [Stretch(*pair) for pair in zip(edges[::2], edges[1::2], strict=False)]


def test_near_stretches_are_joined_and_stay_inside() -> None:
    voice = [Stretch(RATE_HZ, 2 * RATE_HZ), Stretch(3 * RATE_HZ, 4 * RATE_HZ), Stretch(9 * RATE_HZ, 10 * RATE_HZ)]
    wide = stretches.widened(voice, by_s=1.5, length=10 * RATE_HZ)
    assert wide == [Stretch(0, round(5.5 * RATE_HZ)), Stretch(round(7.5 * RATE_HZ), 10 * RATE_HZ)]


@given(apart(), st.floats(0, 5))
def test_widened_stretches_are_apart_and_hold_the_old_ones(voice: list[Stretch], by_s: float) -> None:
    wide = stretches.widened(voice, by_s=by_s, length=LENGTH)
    assert all(before.end < after.start for before, after in itertools.pairwise(wide))
    assert all(any(w.start <= v.start and v.end <= w.end for w in wide) for v in voice)
    assert all(0 <= w.start < w.end <= LENGTH for w in wide)


@given(apart(), st.data())
def test_a_moment_of_the_cut_sound_leads_back_to_its_sample(kept: list[Stretch], data: st.DataObject) -> None:
    samples = np.arange(LENGTH, dtype=np.float32)
    cut = stretches.cut(samples, kept)
    at = data.draw(st.integers(0, len(cut) - 1))
    start_s, end_s = Timeline(kept).back(at / RATE_HZ, at / RATE_HZ)
    assert start_s == end_s
    assert round(start_s * RATE_HZ) == int(cut[at])


@given(apart(), st.floats(0, 70), st.floats(0, 70))
def test_times_lead_back_into_the_recording_and_in_order(kept: list[Stretch], one_s: float, other_s: float) -> None:
    start_s, end_s = Timeline(kept).back(min(one_s, other_s), max(one_s, other_s))
    assert 0 <= start_s <= end_s <= 60


def test_the_overlap_is_counted_in_seconds() -> None:
    voice = [Stretch(0, RATE_HZ), Stretch(2 * RATE_HZ, 4 * RATE_HZ)]
    assert stretches.overlap_s(voice, 0.5, 3.0) == 1.5
