"""What an edit makes of a place and of words, before any row is touched."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bubbles.edit import CUE_LENGTH_MAX, CUES_MAX, _cues, moved
from bubbles.errors import Code, Refused
from bubbles.model.cue import Cue
from bubbles.model.place import Place, PlaceRole, Precision, distance_m, snap

LATITUDE, LONGITUDE = 45.7674, 4.8336
FROM_FINE_TO_COARSE = [Precision.EXACT, Precision.STREET, Precision.NEIGHBOURHOOD, Precision.TOWN, Precision.NONE]


def at(precision: Precision, role: PlaceRole = PlaceRole.RECORDED) -> Place:
    place = snap(LATITUDE, LONGITUDE, precision, role)
    assert place is not None
    return place


def place_refusal(place: Place | None, patch: object) -> Code:
    with pytest.raises(Refused) as refused:
        moved(place, patch)
    return refused.value.code


def test_null_takes_the_place_away() -> None:
    assert moved(at(Precision.STREET), None) is None
    assert moved(None, None) is None


def test_an_empty_patch_changes_nothing() -> None:
    for precision in FROM_FINE_TO_COARSE[:-1]:
        assert moved(at(precision), {}) == at(precision)


@pytest.mark.parametrize("start", FROM_FINE_TO_COARSE[:-1])
@pytest.mark.parametrize("wanted", FROM_FINE_TO_COARSE)
def test_a_coarser_precision_snaps_again_and_a_finer_one_needs_a_point(start: Precision, wanted: Precision) -> None:
    if FROM_FINE_TO_COARSE.index(wanted) < FROM_FINE_TO_COARSE.index(start):
        assert place_refusal(at(start), {"precision": wanted}) == Code.BAD_PLACE
    else:
        assert moved(at(start), {"precision": wanted}) == snap(LATITUDE, LONGITUDE, wanted, PlaceRole.RECORDED)


@given(st.floats(-90, 90), st.floats(-180, 180), st.sampled_from(FROM_FINE_TO_COARSE[:-2]))
@example(0.0, -5.960464477539063e-08, Precision.EXACT)
def test_going_coarse_in_steps_tells_no_more_than_going_at_once(
    latitude: float, longitude: float, start: Precision
) -> None:
    place = snap(latitude, longitude, start, PlaceRole.RECORDED)
    assert place is not None
    if start is Precision.EXACT:  # it is kept to a tenth of a metre, which may lie across a border
        latitude, longitude = place.latitude, place.longitude
    for precision in FROM_FINE_TO_COARSE[FROM_FINE_TO_COARSE.index(start) + 1 : -1]:
        place = moved(place, {"precision": precision})
    at_once = snap(latitude, longitude, Precision.TOWN, PlaceRole.RECORDED)
    assert place is not None
    assert at_once is not None
    assert distance_m(place.latitude, place.longitude, at_once.latitude, at_once.longitude) < 1


def test_a_new_point_keeps_the_precision_that_was_chosen() -> None:
    patch = {"latitude": 48.8566, "longitude": 2.3522}
    assert moved(at(Precision.TOWN), patch) == snap(48.8566, 2.3522, Precision.TOWN, PlaceRole.RECORDED)


def test_a_new_point_with_a_finer_precision_is_fine() -> None:
    patch = {"latitude": 48.8566, "longitude": 2.3522, "precision": "exact"}
    place = moved(at(Precision.TOWN), patch)
    assert place is not None
    assert (place.latitude, place.longitude) == (48.8566, 2.3522)


def test_another_role_alone_makes_the_place_no_finer() -> None:
    place = moved(at(Precision.NEIGHBOURHOOD), {"role": "about"})
    assert place == at(Precision.NEIGHBOURHOOD, PlaceRole.ABOUT)


def test_a_first_place_takes_the_default_of_its_role() -> None:
    point = {"latitude": LATITUDE, "longitude": LONGITUDE}
    assert moved(None, point) == at(Precision.NEIGHBOURHOOD)
    assert moved(None, {**point, "role": "about"}) == at(Precision.EXACT, PlaceRole.ABOUT)


def test_precision_none_takes_the_place_away() -> None:
    assert moved(at(Precision.STREET), {"precision": "none"}) is None


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ({"latitude": 1}, Code.BAD_PLACE),
        ({"longitude": 1}, Code.BAD_PLACE),
        ({"latitude": None, "longitude": None}, Code.BAD_PLACE),
        ({"latitude": True, "longitude": 0}, Code.BAD_PLACE),
        ({"latitude": [1], "longitude": 0}, Code.BAD_PLACE),
        ({"latitude": float("nan"), "longitude": 0}, Code.BAD_PLACE),
        ({"latitude": 0, "longitude": 180.1}, Code.BAD_PLACE),
        ({"precision": "planet"}, Code.BAD_REQUEST),
        ({"precision": ["exact"]}, Code.BAD_REQUEST),
        ({"role": "beside"}, Code.BAD_REQUEST),
        ({"radius_m": 5}, Code.BAD_REQUEST),
        ([], Code.BAD_REQUEST),
        ("Lyon", Code.BAD_REQUEST),
    ],
)
def test_other_patches_are_refused(patch: object, code: Code) -> None:
    assert place_refusal(at(Precision.NEIGHBOURHOOD), patch) == code


def test_a_place_cannot_be_made_from_a_precision_alone() -> None:
    assert place_refusal(None, {"precision": "town"}) == Code.BAD_PLACE


def cue(start_s: object = 0.0, end_s: object = 1.0, text: object = "hello", **more: object) -> dict[str, Any]:
    return {"start_s": start_s, "end_s": end_s, "text": text, **more}


def cues_refusal(cues: object) -> Code:
    with pytest.raises(Refused) as refused:
        _cues(cues, 10.0)
    return refused.value.code


def test_cues_are_kept_to_the_millisecond_in_one_line_each() -> None:
    sent = [cue(0, 1.00049, "  good\nmorning "), cue(1.0004, 2, "Lyon", unsure=True)]
    assert _cues(sent, 10.0) == [Cue(0.0, 1.0, "good morning"), Cue(1.0, 2.0, "Lyon", unsure=True)]


def test_no_cues_at_all_say_that_nobody_speaks() -> None:
    assert _cues([], 10.0) == []


def test_cues_may_overlap_and_the_last_may_end_a_second_late() -> None:
    assert len(_cues([cue(0, 9), cue(0, 10), cue(9.5, 11)], 10.0)) == 3


def test_cues_out_of_order_are_refused() -> None:
    assert cues_refusal([cue(2, 3), cue(1, 2)]) == Code.BAD_REQUEST


@pytest.mark.parametrize(
    "wrong",
    [
        cue(-0.1, 1),
        cue(1, 1),
        cue(2, 1),
        cue(0, 11.1),
        cue(float("nan"), 1),
        cue(0, float("nan")),
        cue(0, float("inf")),
        cue("0", 1),
        cue(False, True),
        cue(None, 1),
        cue(text=5),
        cue(text=None),
        cue(unsure="yes"),
        cue(speaker="anna"),
        {"start_s": 0, "end_s": 1},
        "hello",
        None,
    ],
)
def test_what_is_no_cue_is_refused(wrong: object) -> None:
    assert cues_refusal([wrong]) == Code.BAD_REQUEST


@pytest.mark.parametrize("text", ["", " \n ", "x" * (CUE_LENGTH_MAX + 1), "a\x00b", "\u202ea"])
def test_texts_of_cues_are_held_to_the_rules_of_all_texts(text: str) -> None:
    assert cues_refusal([cue(text=text)]) == Code.BAD_TEXT


@pytest.mark.parametrize("wrong", [None, {}, "WEBVTT", [cue()] * (CUES_MAX + 1)])
def test_what_is_no_list_of_cues_or_too_long_a_one_is_refused(wrong: object) -> None:
    assert cues_refusal(wrong) == Code.BAD_REQUEST
