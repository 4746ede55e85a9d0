"""What the sound tests share: the folder's own modules, and a watch over what a decoding leaves behind."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from leftovers import children


@pytest.fixture
def leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Gives a folder for recordings; fails when a child, a temporary file or anything beside a recording is left."""
    temporary, uploads = tmp_path / "temporary", tmp_path / "uploads"
    temporary.mkdir()
    uploads.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = children()
    yield uploads
    assert children() <= before
    assert list(temporary.iterdir()) == []
    assert all(path.name.startswith("recording") for path in uploads.iterdir())
