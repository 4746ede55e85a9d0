"""Times are those of RFC 3339, and nothing that merely looks like one."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bubbles.errors import Code, Refused
from bubbles.model.times import EARLIEST, parse_rfc3339, rfc3339

TEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T10:00:00Z", TEN),
        ("2026-11-22t10:00:00z", TEN),
        ("2026-11-22 10:00:00Z", TEN),
        ("2026-11-22T11:30:00+01:30", TEN),
        ("2026-11-22T00:00:00-10:00", TEN),
        ("2026-11-22T10:00:00-00:00", TEN),
        ("2026-11-22T10:00:00.5Z", TEN + timedelta(seconds=0.5)),
        ("2026-11-22T10:00:00.1234569999Z", TEN + timedelta(microseconds=123_456)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2017-01-01T01:59:60+02:00", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_rfc_3339_allows_is_read(text: str, time: datetime) -> None:
    read = parse_rfc3339(text, what="since")
    assert (read, read.tzinfo) == (time, UTC)


@pytest.mark.parametrize(
    "text",
    [
        "", "yesterday", "2026-11-22", "2026-W47-7T10:00:00Z", "2026-W47", "20261122T100000Z", "20261122",
        "2026-11-22T10:00:00", "2026-11-22 10:00", "2026-11-22T10:00Z", "2026-11-22T10Z", "2026-11-22T10:00:00,5Z",
        "2026-11-22T10:00:00.Z", "2026-11-22T10:00:00+01", "2026-11-22T10:00:00+0100", "2026-11-22T10:00:00+24:00",
        "2026-11-22T10:00:00+01:60", "2026-11-22T10:00:00+01:00:30", "2026-11-22T24:00:00Z", "2026-11-22T10:00:61Z",
        "2026-11-22T10:60:00Z", "2026-02-29T10:00:00Z", "2026-13-01T10:00:00Z", "0000-01-01T00:00:00Z",
        "2026-11-22T10:00:00Z\n", " 2026-11-22T10:00:00Z", "２026-11-22T10:00:00Z", "2026-11-22\u00a010:00:00Z",
        "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    ],
)  # fmt: skip
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(Refused, match="since must be a time") as refused:
        parse_rfc3339(text, what="since")
    assert refused.value.code is Code.BAD_REQUEST


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (TEN, "2026-11-22T10:00:00Z"),
        (TEN.astimezone(timezone(timedelta(hours=5, minutes=45))), "2026-11-22T10:00:00Z"),
        (TEN.replace(microsecond=999_999), "2026-11-22T10:00:00Z"),
        (datetime(33, 4, 3, tzinfo=UTC), "0033-04-03T00:00:00Z"),
        (EARLIEST, "1970-01-01T00:00:00Z"),
    ],
)
def test_times_are_told_in_utc_to_the_second(time: datetime, text: str) -> None:
    assert rfc3339(time) == text


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_we_tell_we_read_again(time: datetime) -> None:
    assert parse_rfc3339(rfc3339(time), what="since") == time.replace(microsecond=0)


@given(st.text() | st.from_regex(r"[-0-9:TtZzW+. ]*"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert parse_rfc3339(text, what="since").tzinfo is UTC
    except Refused as refused:
        assert refused.code is Code.BAD_REQUEST
