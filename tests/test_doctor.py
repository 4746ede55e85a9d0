"""The doctor says how each part is and what to do, whatever is broken, and tells no secret."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from bubbles import doctor, pipeline
from bubbles.app import open_house
from bubbles.audio import sandbox
from bubbles.config import Settings, environment_name
from bubbles.db import health
from bubbles.db.health import Server
from bubbles.errors import Missing
from tests.blobs.vendors import Vendor, serving

PARTS = [
    "python",
    "address",
    "disk",
    "database",
    "workers",
    "visitors",
    "store",
    "delivery",
    "model",
    "sandbox",
    "pages",
    "basemap",
    "places",
    "legal",
]
ALL, NONE = frozenset(pipeline.QUEUES), frozenset[str]()
NOBODY = "postgresql://me:hunter2@127.0.0.1:1/bubbles"


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose server stays up and is migrated."""
    folder = tmp_path_factory.mktemp("data")
    with open_house(Settings(data_dir=folder)):
        yield folder


@pytest.fixture
def whole(data_dir: Path, tmp_path: Path) -> dict[str, Any]:
    """Settings of a house that lacks nothing but a worker."""
    built = tmp_path / "web" / "dist"
    (built / ".vite").mkdir(parents=True)
    (built / "main.js").write_text("")
    (built / ".vite" / "manifest.json").write_text(json.dumps({"src/main.ts": {"file": "main.js"}}))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.bin").write_text("")
    for name in ("terms.md", "contact.md"):
        (tmp_path / name).write_text("Be kind.")
    folders = {"data_dir": data_dir, "pages_dir": tmp_path / "web", "legal_dir": str(tmp_path)}
    return folders | {"whisper_model": str(tmp_path / "model")}


def examined(**settings: Any) -> tuple[bool, dict[str, str]]:
    """What the doctor answers, and its line for each part."""
    written = io.StringIO()
    healthy = doctor.examine(Settings(**settings), Console(file=written, width=40))
    return healthy, {line.split()[1]: line for line in written.getvalue().splitlines()}


def test_a_whole_house_is_told_part_by_part(whole: dict[str, Any], data_dir: Path) -> None:
    healthy, lines = examined(**whole)
    assert healthy
    assert list(lines) == PARTS
    assert {part for part, line in lines.items() if not line.startswith("ok ")} <= {
        "workers",
        "sandbox",
        "basemap",
        "places",
    }
    assert lines["workers"].startswith("degraded")
    assert "PostgreSQL 18" in lines["database"]
    assert f"embedded in {data_dir}/postgresql" in lines["database"]


def test_looking_at_a_fresh_database_migrates_nothing(whole: dict[str, Any], tmp_path: Path) -> None:
    for _ in range(2):
        healthy, lines = examined(**whole | {"data_dir": tmp_path / "fresh"})
        assert healthy
        assert lines["database"].startswith("degraded")
        assert "bubbles migrate" in lines["database"]


def test_every_part_that_is_broken_is_said_and_none_ends_the_others(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    healthy, lines = examined(
        data_dir=tmp_path / "data",
        database_url=NOBODY,
        blob_url=(tmp_path / "file" / "below").as_uri(),
        whisper_model=str(tmp_path / "no-model"),
        pages_dir=tmp_path / "no-pages",
        base_url="bubbles",
    )
    assert not healthy
    missing = {part for part, line in lines.items() if line.startswith("missing")}
    assert missing == {"address", "database", "store", "model", "pages"}
    assert {"python", "disk", "sandbox"} <= set(lines)


@pytest.mark.parametrize("url", [NOBODY, "postgresql://me:hunter%322@127.0.0.1:1/b", "mysql:/hunter2", "hunter2"])
def test_a_database_that_does_not_answer_is_told_without_its_password(whole: dict[str, Any], url: str) -> None:
    healthy, lines = examined(**whole | {"database_url": url})
    assert not healthy
    assert lines["database"].startswith("missing")
    assert "hunter" not in lines["database"]


def test_a_secret_key_is_never_told(whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def betray(settings: Settings) -> None:
        raise RuntimeError(f"denied for {settings.s3_secret_access_key.get_secret_value()}\nand more")

    monkeypatch.setattr(doctor.app, "store", betray)
    healthy, lines = examined(**whole | {"s3_secret_access_key": "hunter2", "s3_access_key_id": "me"})
    assert not healthy
    assert lines["store"].split(maxsplit=2)[2] == "RuntimeError: denied for **********"


@pytest.mark.parametrize(
    ("behaves", "verdict", "told"),
    [
        ({}, "ok", ["keeps what it is given: put, get, range, guard, list, delete, clock, versioning, strangers"]),
        (
            {"versioning": "Enabled"},
            "ok",
            ["keeps what it is given", "degraded store versioning: The bucket keeps old"],
        ),
        ({"denies": {"DELETE"}}, "missing", ["missing store delete: ", "s3:DeleteObject"]),
        ({"conditional": "ignored"}, "missing", ["missing store guard: ", "conditional=no"]),
        ({"is_open": True}, "missing", ["missing store strangers: The bucket is open"]),
    ],
)
def test_a_bucket_is_tried_one_by_one(
    whole: dict[str, Any], behaves: dict[str, Any], verdict: str, told: list[str]
) -> None:
    written = io.StringIO()
    with serving(Vendor(**behaves)) as vendor:
        named = whole | {"blob_url": vendor.url, "s3_access_key_id": "me", "s3_secret_access_key": "hunter2"}
        healthy = doctor.examine(Settings(**named), Console(file=written))
    lines = [" ".join(line.split()) for line in written.getvalue().splitlines()]
    about = [line for line in lines if line.split()[1] == "store"]
    assert about[0].startswith(verdict)
    assert all(any(text in line for line in about) for text in told), about
    assert healthy is (verdict == "ok")


@pytest.mark.parametrize(
    ("server", "verdict", "advice"),
    [
        (Server("14.9", 14, (), True, ALL), "missing", "15 or newer"),
        (Server("16.1", 16, ("unaccent",), False, NONE), "missing", "lacks unaccent"),
        (Server("16.1", 16, (), False, NONE), "degraded", "bubbles migrate"),
        (Server("16.1", 16, (), True, ALL), "ok", "at db.example"),
    ],
)
def test_a_server_of_ones_own_is_judged(
    whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch, server: Server, verdict: str, advice: str
) -> None:
    monkeypatch.setattr(health, "look", lambda url: server)
    healthy, lines = examined(**whole | {"database_url": "postgresql://me:pw@db.example/b"})
    assert lines["database"].startswith(verdict)
    assert advice in lines["database"]
    assert healthy is (verdict != "missing")
    assert lines["workers"].startswith("ok" if server.served else "degraded")


def test_a_queue_that_nobody_serves_is_named(whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("16.1", 16, (), True, ALL - {"transcribe"})
    monkeypatch.setattr(health, "look", lambda url: server)
    _, lines = examined(**whole | {"database_url": "postgresql://me:pw@db.example/b"})
    assert "nobody serves transcribe:" in lines["workers"]


def test_without_own_workers_a_missing_model_is_no_fault_of_this_machine(whole: dict[str, Any]) -> None:
    without = whole | {"whisper_model": "/nowhere"}
    assert examined(**without)[0] is False
    healthy, lines = examined(**without, workers=0)
    assert healthy
    assert lines["model"].startswith("degraded")
    assert "bubbles work" in lines["workers"]


def test_each_wall_that_does_not_stand_is_told_with_what_it_means(
    whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "isolation", lambda: {"network_namespace": False, "landlock": True, "moat": False})
    written = io.StringIO()
    assert doctor.examine(Settings(**whole), Console(file=written))
    told = [line for line in written.getvalue().splitlines() if " sandbox " in line]
    assert [line.split()[0] for line in told] == ["degraded", "degraded"]
    assert "could reach the network" in told[0]
    assert "moat" in told[1]


def test_every_wall_of_the_sandbox_has_its_sentence() -> None:
    assert set(sandbox.isolation()) == set(doctor.WALLS)


def test_a_decoder_that_does_not_start_is_missing(whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> dict[str, bool]:
        raise Missing("decoder", "It does not start.")

    monkeypatch.setattr(sandbox, "isolation", fail)
    healthy, lines = examined(**whole)
    assert not healthy
    assert lines["sandbox"].startswith("missing")


@pytest.mark.parametrize("manifest", ["", "[]", '{"a": 1}', '{"a": {"file": "gone.js"}}', '{"a": {}}'])
def test_pages_that_are_not_whole_are_missing(whole: dict[str, Any], manifest: str) -> None:
    (whole["pages_dir"] / "dist" / ".vite" / "manifest.json").write_text(manifest)
    healthy, lines = examined(**whole)
    assert not healthy
    assert "make run" in lines["pages"]


def test_a_map_that_is_not_built_is_told_with_what_it_means(whole: dict[str, Any], tmp_path: Path) -> None:
    without = whole | {"cache_dir": tmp_path / "cache"}
    healthy, lines = examined(**without)
    assert healthy
    assert "blank" in lines["basemap"]
    assert "make run" in lines["places"]
    for name in ("world.pmtiles", "places.tsv"):
        (tmp_path / "cache" / "basemap").mkdir(parents=True, exist_ok=True)
        (tmp_path / "cache" / "basemap" / name).write_text("")
    _, lines = examined(**without)
    assert lines["basemap"].startswith("ok")
    assert lines["places"].startswith("ok")


@pytest.mark.parametrize(("free_gib", "verdict"), [(0.1, "missing"), (1, "degraded"), (100, "ok")])
def test_room_on_the_disk_is_judged(
    whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch, free_gib: float, verdict: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=int(free_gib * 1024**3), total=1))
    assert examined(**whole)[1]["disk"].startswith(verdict)


@pytest.mark.parametrize(
    ("url", "verdict", "advice"),
    [
        ("", "ok", "http://localhost:8000"),
        ("https://bubbles.example", "degraded", environment_name("trusted_proxies")),
        ("http://me.localhost:8000", "ok", ""),
        ("http://bubbles.example", "degraded", "microphone"),
        ("https://192.0.2.1", "degraded", "passkeys"),
        ("http://127.0.0.1:8000", "degraded", "passkeys"),
        ("http://[::1]:8000", "degraded", "passkeys"),
        ("bubbles.example", "missing", environment_name("base_url")),
        ("ftp://bubbles.example", "missing", ""),
        ("https://bubbles.example?x=1", "missing", ""),
        ("https://[bad", "missing", ""),
    ],
)
def test_the_public_address_is_judged(url: str, verdict: str, advice: str) -> None:
    findings = list(doctor._findings("address", doctor._address, Settings(base_url=url)))
    assert [(finding.health, advice in finding.text) for finding in findings] == [(verdict, True)]


def test_behind_a_proxy_that_is_named_an_address_is_well() -> None:
    settings = Settings(base_url="https://bubbles.example", trusted_proxies="127.0.0.1")
    assert [finding.health for finding in doctor._address(settings)] == [doctor.Health.OK]


def test_pages_that_the_operator_has_not_written_are_told(whole: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "contact.md").write_text(" \n")
    healthy, lines = examined(**whole)
    assert healthy
    assert lines["legal"].startswith("degraded")
    assert "contact.md" in lines["legal"]
    assert "terms.md" not in lines["legal"]
