"""Vendors differ: what a store is asked, and what it still promises, where one lacks something."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from bubbles.blobs.address import open_store
from bubbles.blobs.store import BlobStore, Stored, Trial
from bubbles.errors import Missing
from tests.blobs.vendors import Vendor, serving

Put = Callable[[BlobStore, str, bytes], Stored]
SOUND = bytes(range(256)) * 300


@pytest.fixture
def at() -> Iterator[Callable[..., tuple[Vendor, BlobStore]]]:
    """Opens a store at a vendor that behaves as told; options of the URL may follow."""
    with ExitStack() as stack:

        def at(options: str = "", **behaves: Any) -> tuple[Vendor, BlobStore]:
            vendor = stack.enter_context(serving(Vendor(**behaves)))
            return vendor, open_store(vendor.url + options, access_key_id="id", secret_access_key="secret")

        yield at


def asked(vendor: Vendor) -> list[tuple[bool, bool]]:
    """Of each PUT whether it was conditional and whether it carried its checksum."""
    return [("if-none-match" in headers, "x-amz-checksum-sha256" in headers) for headers in vendor.puts]


def faults(store: BlobStore) -> dict[str, Trial]:
    return {trial.name: trial for trial in store.trials() if trial.fault}


@pytest.mark.parametrize(
    ("behaves", "then"),
    [
        ({"conditional": "501"}, [(True, True), (False, True)]),
        ({"conditional": "400"}, [(True, True), (False, True)]),
        ({"checksums": "400"}, [(True, True), (False, True), (True, False)]),
        ({"conditional": "501", "checksums": "400"}, [(True, True), (False, True), (True, False), (False, False)]),
    ],
)
def test_what_a_vendor_refuses_is_left_out_and_remembered(
    at: Any, put: Put, behaves: dict[str, str], then: list[tuple[bool, bool]]
) -> None:
    vendor, store = at(**behaves)
    put(store, "a", SOUND)
    assert asked(vendor) == then
    put(store, "b", SOUND)
    assert asked(vendor) == [*then, then[-1]]
    with pytest.raises(FileExistsError):
        put(store, "a", SOUND[::-1])
    assert put(store, "a", SOUND) == Stored("a", len(SOUND), put(store, "b", SOUND).sha256)
    assert faults(store) == {}


def test_a_vendor_that_ignores_conditions_is_found_out_and_told_what_to_set(at: Any, put: Put) -> None:
    vendor, store = at(conditional="ignored")
    assert list(faults(store)) == ["guard"]
    assert "conditional=no" in faults(store)["guard"].fault
    with pytest.raises(Missing, match="conditional=no"):
        store.check()
    careful = open_store(f"{vendor.url}&conditional=no", access_key_id="id", secret_access_key="secret")
    assert faults(careful) == {}
    put(careful, "a", SOUND)
    before = len(vendor.puts)
    with pytest.raises(FileExistsError):
        put(careful, "a", SOUND[::-1])
    assert len(vendor.puts) == before


def test_options_leave_out_what_they_name(at: Any, put: Put) -> None:
    vendor, store = at("&conditional=no&checksums=no")
    put(store, "a", SOUND)
    assert asked(vendor) == [(False, False)]


def test_a_put_that_is_refused_for_another_reason_is_not_tried_otherwise(at: Any, put: Put) -> None:
    vendor, store = at(denies={"PUT"})
    with pytest.raises(Missing, match="s3:PutObject"):
        put(store, "a", SOUND)
    assert vendor.puts == []


def test_a_vendor_that_ignores_ranges_gives_no_wrong_bytes(at: Any, put: Put) -> None:
    _, store = at(knows_ranges=False)
    put(store, "a", SOUND)
    with pytest.raises(Missing, match="ranges"):
        store.open_range("a", 7, 9)


# What `bubbles doctor` finds


@pytest.mark.parametrize(
    ("denied", "failing", "right"),
    [
        ("PUT", ["put", "strangers"], "s3:PutObject"),
        ("GET", ["put", "delete"], "s3:GetObject"),
        ("DELETE", ["delete", "strangers"], "s3:DeleteObject"),
        ("LIST", ["list", "versioning"], "s3:ListBucket"),
    ],
)
def test_a_right_that_is_missing_is_named(at: Any, denied: str, failing: list[str], right: str) -> None:
    _, store = at(denies={denied})
    found = faults(store)
    assert list(found) == failing
    first = next(iter(found.values()))
    assert right in first.fault
    assert first.is_grave


def test_a_bucket_that_keeps_versions_is_told(at: Any) -> None:
    found = faults(at(versioning="Enabled")[1])
    assert list(found) == ["versioning"]
    assert "withdrawing" in found["versioning"].fault
    assert not found["versioning"].is_grave


def test_an_open_bucket_is_told(at: Any) -> None:
    vendor, store = at(is_open=True)
    found = faults(store)
    assert list(found) == ["strangers"]
    assert "read blobs and list them" in found["strangers"].fault
    assert found["strangers"].is_grave
    assert vendor.kept == {}


@pytest.mark.parametrize(("minutes", "way"), [(5, "behind"), (-5, "ahead of")])
def test_a_wrong_clock_is_told(at: Any, minutes: int, way: str) -> None:
    found = faults(at(clock_ahead=timedelta(minutes=minutes))[1])
    assert list(found) == ["clock"]
    assert way in found["clock"].fault


def test_a_bucket_that_refuses_us_for_our_clock_says_so(at: Any) -> None:
    found = faults(at(clock_ahead=timedelta(hours=1), refuses_by_clock=True)[1])
    assert "clock of this machine" in found["put"].fault
    assert "s behind the bucket" in found["clock"].fault
    assert "NTP" in found["clock"].fault


def test_a_bucket_without_faults_is_tried_whole(at: Any) -> None:
    vendor, store = at()
    names = [trial.name for trial in store.trials()]
    assert names == ["put", "get", "range", "guard", "list", "delete", "clock", "versioning", "strangers"]
    assert vendor.kept == {}
