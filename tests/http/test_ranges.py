"""Range and precondition headers, against a model that slices bytes."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bubbles.http.ranges import is_unchanged, lists, requested

LENGTHS = st.integers(0, 60)
NUMBERS = st.integers(0, 80)
ETAG = '"0123abcd"'


@given(length=LENGTHS, first=NUMBERS, last=NUMBERS)
def test_first_and_last_slice_like_bytes(length: int, first: int, last: int) -> None:
    body = bytes(range(length))
    span = requested(f"bytes={first}-{last}", length)
    if last < first:
        assert span is None
    else:
        assert span is not None
        assert body[span.start : span.stop] == body[first : last + 1]
        assert bool(span) == (first < length)


@given(length=LENGTHS, first=NUMBERS)
def test_an_open_end_slices_to_the_end(length: int, first: int) -> None:
    body = bytes(range(length))
    span = requested(f"bytes={first}-", length)
    assert span is not None
    assert body[span.start : span.stop] == body[first:]
    assert bool(span) == (first < length)


@given(length=LENGTHS, last=NUMBERS)
def test_a_suffix_slices_from_the_end(length: int, last: int) -> None:
    body = bytes(range(length))
    span = requested(f"bytes=-{last}", length)
    assert span is not None
    assert body[span.start : span.stop] == (body[-last:] if last else b"")


@given(header=st.text(max_size=30), length=LENGTHS)
@example("bytes=" + "9" * 5000 + "-", 10)
@example("bytes=0-" + "9" * 3999, 10)
@example("bytes=٣-٤", 10)
def test_no_header_leads_outside_the_file(header: str, length: int) -> None:
    span = requested(header, length)
    assert span is None or (0 <= span.start <= span.stop <= max(length, span.start))


@given(header=st.from_regex(r"bytes=[0-9,\- ]{0,12}", fullmatch=True), length=LENGTHS)
def test_every_range_that_is_honoured_lies_in_the_file(header: str, length: int) -> None:
    span = requested(header, length)
    assert not span or (0 <= span.start < span.stop <= length)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,4-5", "bytes=0-1,", "seconds=0-1"],
)
def test_what_is_no_single_range_is_ignored(header: str | None) -> None:
    assert requested(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=--1", "bytes=+1-2", "bytes=1.0-2", "bytes 0-1", "bytes=0 - 1"])
def test_numbers_are_plain_digits(header: str) -> None:
    assert requested(header, 10) is None


def test_the_unit_has_no_case_and_spaces_around_do_not_matter() -> None:
    assert requested(" Bytes=2-3 ", 10) == range(2, 4)


@pytest.mark.parametrize(
    ("header", "weak", "strong"),
    [
        (ETAG, True, True),
        ("*", True, True),
        (f'"other", W/"x" ,{ETAG}', True, True),
        (f"W/{ETAG}", True, False),
        ('"other"', False, False),
        (ETAG.strip('"'), False, False),
        (None, False, False),
    ],
)
def test_a_list_of_entity_tags(header: str | None, weak: bool, strong: bool) -> None:
    assert lists(header, ETAG, weak=True) is weak
    assert lists(header, ETAG, weak=False) is strong


def test_if_range_takes_only_the_strong_tag() -> None:
    assert is_unchanged(None, ETAG)
    assert is_unchanged(ETAG, ETAG)
    assert not is_unchanged(f"W/{ETAG}", ETAG)
    assert not is_unchanged("Sun, 22 Nov 2026 10:00:00 GMT", ETAG)
