"""What an author sends is read the same at every edge, and a wrong field is named."""

from datetime import UTC, datetime, timedelta

import pytest

from bubbles.errors import Code, Refused
from bubbles.model.bubble import Visibility
from bubbles.model.draft import FIELDS, Draft, TextLimits, parse
from bubbles.model.place import PlaceRole, Precision, cell_of

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PARIS = {"latitude": "48.8566", "longitude": "2.3522"}


def read(**fields: str) -> Draft:
    return parse(fields, limits=TextLimits(), now=NOW)


def refusal(**fields: str) -> Refused:
    with pytest.raises(Refused) as refused:
        read(**fields)
    return refused.value


def test_nothing_sent_is_a_public_bubble_without_place_in_the_own_channel() -> None:
    assert read() == Draft(visibility=Visibility.PUBLIC, place=None, channel=None, keep_recording=False)


def test_blank_fields_count_as_absent() -> None:
    assert read(**dict.fromkeys(FIELDS, "  ")) == read()


def test_an_unknown_field_is_named() -> None:
    refused = refusal(title="x", lattitude="1")
    assert refused.code == Code.BAD_REQUEST
    assert "lattitude" in refused.detail


def test_a_place_is_snapped_to_its_neighbourhood_before_anything_else_sees_it() -> None:
    place = read(**PARIS).place
    assert place is not None
    assert (place.role, place.precision) == (PlaceRole.RECORDED, Precision.NEIGHBOURHOOD)
    cell = cell_of(48.8566, 2.3522, Precision.NEIGHBOURHOOD)
    assert place.latitude == pytest.approx((cell.south + cell.north) / 2, abs=1e-6)
    assert place.longitude == pytest.approx((cell.west + cell.east) / 2, abs=1e-6)
    assert place.radius_m > 500


def test_a_place_that_is_spoken_about_is_exact_unless_said_otherwise() -> None:
    exact = read(**PARIS, place_role="about").place
    assert exact is not None
    assert (exact.latitude, exact.longitude, exact.radius_m) == (48.8566, 2.3522, 0.0)
    town = read(**PARIS, place_role="about", precision="town").place
    assert town is not None
    assert town.precision is Precision.TOWN


def test_precision_none_keeps_no_place_even_when_a_point_was_sent() -> None:
    assert read(**PARIS, precision="none").place is None


@pytest.mark.parametrize(
    "point",
    [
        {"latitude": "48.8"},
        {"longitude": "2.3"},
        {"latitude": "here", "longitude": "there"},
        {"latitude": "nan", "longitude": "2"},
        {"latitude": "inf", "longitude": "2"},
        {"latitude": "90.1", "longitude": "2"},
        {"latitude": "0", "longitude": "-180.5"},
    ],
)
def test_half_points_and_points_off_the_earth_are_bad_places(point: dict[str, str]) -> None:
    assert refusal(**point).code == Code.BAD_PLACE


def test_a_bad_point_is_refused_even_when_it_would_not_be_kept() -> None:
    assert refusal(latitude="91", longitude="0", precision="none").code == Code.BAD_PLACE


@pytest.mark.parametrize("field", ["visibility", "precision", "place_role"])
def test_a_wrong_choice_names_the_field_and_the_choices(field: str) -> None:
    refused = refusal(**{field: "sideways"})
    assert refused.code == Code.BAD_REQUEST
    assert refused.detail.startswith(f"{field} must be one of ")


def test_tags_are_separated_by_commas() -> None:
    assert read(tags="#Market, fruit,,FRUIT ").tags == ("market", "fruit")


def test_the_limits_in_force_are_those_given() -> None:
    limits = TextLimits(title_max=3, tags_max=1, tag_max=2)
    for fields in ({"title": "four"}, {"tags": "a,b"}, {"tags": "abc"}):
        with pytest.raises(Refused) as refused:
            parse(fields, limits=limits, now=NOW)
        assert refused.value.code == Code.BAD_TEXT


def test_language_and_channel_are_put_in_their_form() -> None:
    draft = read(language="PT-br", channel="@Anna")
    assert (draft.language, draft.channel) == ("pt-br", "anna")


@pytest.mark.parametrize(("text", "kept"), [("true", True), ("1", True), ("ON", True), ("no", False), ("0", False)])
def test_keep_recording_is_read_as_forms_and_programs_send_it(text: str, kept: bool) -> None:
    assert read(keep_recording=text).keep_recording is kept


def test_keep_recording_is_never_guessed() -> None:
    assert refusal(keep_recording="maybe").code == Code.BAD_REQUEST


def test_an_outbox_may_send_days_later_and_the_time_is_kept_in_utc() -> None:
    assert read(recorded_at="2026-11-19T09:30:00+02:00").recorded_at == datetime(2026, 11, 19, 7, 30, tzinfo=UTC)


def test_a_clock_may_run_ahead_by_a_day_and_no_more() -> None:
    assert read(recorded_at=(NOW + timedelta(days=1)).isoformat()).recorded_at == NOW + timedelta(days=1)
    assert refusal(recorded_at=(NOW + timedelta(days=1, seconds=1)).isoformat()).code == Code.BAD_REQUEST


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_time_is_refused(text: str) -> None:
    assert refusal(recorded_at=text).code == Code.BAD_REQUEST
