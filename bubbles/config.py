"""Settings: the only place that reads the environment.

Every setting is `BUBBLES_` plus the field's name in capitals. `bubbles settings` lists them all.
"""

import os
import re
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bubbles.limits import Limits

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent
BUILT = PACKAGE / "built"
"""Pages, basemap and places, as a wheel brings them along (`hatch_build.py`); no checkout has this folder."""

IS_INSTALLED = BUILT.is_dir()
COMMAND = "bubbles" if IS_INSTALLED else ".venv/bin/bubbles"
REBUILD = "install the wheel of Bubbles again" if IS_INSTALLED else "run `make run`"
"""What to do where something lacks that is built."""

PYTHON = (sys.executable, "-P") if IS_INSTALLED else (sys.executable,)
"""Runs our own modules; where they are installed, not what lies by the same name where we were started."""

SOURCE = re.compile(r"https?://[A-Za-z0-9.*-]+(:\d{1,5})?(?=$|/)")
"""An origin as a content security policy can hold it."""


def _cache_dir(given: dict[str, Any]) -> Path:
    """The checkout's own, else what the XDG Base Directory Specification says; beside the data for who has no home."""
    if not IS_INSTALLED:
        return CHECKOUT / ".cache"
    named = os.environ.get("XDG_CACHE_HOME", "")  # noqa: TID251 - this is config.py
    if Path(named).is_absolute():
        return Path(named) / "bubbles"
    try:
        return Path.home() / ".cache" / "bubbles"
    except RuntimeError:
        return Path(given.get("data_dir", "data")) / "cache"


class Settings(Limits, BaseSettings):
    """What can be set from outside. Field descriptions are the help texts of `bubbles settings`."""

    model_config = SettingsConfigDict(env_prefix="BUBBLES_", env_ignore_empty=True, extra="ignore")

    # Where
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    upload_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of a process for uploads alone, which gives way to who listens; the proxy sends them there. "
        "0: none.",
    )
    base_url: str = Field(
        "", description="Public address of the service, used in every link; default http://localhost:PORT."
    )
    data_dir: Path = Field(Path("data"), description="Folder of everything that cannot be rebuilt.")
    cache_dir: Path = Field(
        default_factory=_cache_dir,
        description="Folder of weights, and of a checkout's basemap: all of it can be rebuilt.",
    )
    pages_dir: Path = Field(
        (BUILT if IS_INSTALLED else CHECKOUT) / "web", description="Folder of templates and built pages."
    )
    database_url: str = Field("", description="postgresql://... of your own server; empty: the embedded one.")
    blob_url: str = Field(
        "",
        description="Where sound is kept: file:///folder or s3://bucket/prefix?endpoint=...&region=...; "
        "empty: the folder blobs in the data folder.",
    )
    legal_dir: str = Field(
        "", description="Folder of privacy.md, terms.md and contact.md; empty: the folder legal in the data folder."
    )
    map_style_url: str = Field(
        "", description="A MapLibre style for the maps, {theme} being light or dark; empty: our own, without internet."
    )
    map_sources: str = Field("", description="Comma-separated origins, beside its own, that this style loads from.")
    s3_access_key_id: str = Field("", description="Access key of the bucket; empty: the usual AWS sources.")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="Secret key of the bucket.")

    blob_url_before: str = Field(
        "",
        description="The former store, until `bubbles blobs move` has copied it: read and deleted from, not put to.",
    )
    s3_access_key_id_before: str = Field(
        "", description="Access key of the former bucket; empty: as of the present one."
    )
    s3_secret_access_key_before: SecretStr = Field(SecretStr(""), description="Secret key of the former bucket.")

    # Who
    registration: Literal["open", "invite", "closed"] = Field(
        "invite",
        description="Who may sign up: anyone, who has an invitation, nobody. The command line always makes accounts.",
    )
    session_days: int = Field(30, ge=1, le=365, description="Days that a sign-in lasts.")
    sign_in_link_hours: int = Field(24, ge=1, le=720, description="Hours that a one-time sign-in link is valid.")
    licence: Literal["all-rights-reserved", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC0-1.0"] = Field(
        "all-rights-reserved", description="What others may do with a bubble whose author chose no licence."
    )
    invitation_days: int = Field(14, ge=1, le=365, description="Days that an invitation is valid.")
    trusted_proxies: str = Field(
        "", description="Comma-separated addresses or networks whose X-Forwarded-For is believed."
    )

    # Work
    media_delivery: Literal["app", "redirect", "nginx"] = Field(
        "app",
        description="Who sends the sound: app counts what was really sent; redirect (to the bucket) and nginx count "
        "what was asked for.",
    )
    workers: int = Field(1, ge=0, le=64, description="Worker processes that `serve` starts; 0: none.")
    whisper_model: str = Field("base", description="A faster-whisper model's name, or a folder that holds one.")
    whisper_device: Literal["cpu", "cuda", "auto"] = Field("cpu", description="What the model runs on.")
    whisper_compute_type: Literal["int8", "int8_float16", "int8_float32", "float16", "bfloat16", "float32"] = Field(
        "int8", description="The numbers that the model computes with: int8 on a CPU, int8_float16 or float16 on a GPU."
    )
    transcribe_memory_mib: int = Field(
        3072, ge=256, description="Memory the speech process may take, in MiB; the model base needs 1600."
    )
    transcribe_deadline_s: int = Field(900, ge=10, description="Seconds a transcription may take.")
    normalise_deadline_s: int = Field(120, ge=10, description="Seconds that making the renditions may take.")
    normalise_at_once: int = Field(
        1, ge=1, le=64, description="Recordings that one worker process makes playable at once."
    )
    transcribe_at_once: int = Field(
        1, ge=1, le=64, description="Recordings that one worker process writes down at once, a speech process for each."
    )
    attempts_max: int = Field(4, ge=1, le=20, description="Attempts at a step before it is given up.")
    stalled_after_s: int = Field(30, ge=5, description="Seconds without a sign of life before work is taken over.")

    # Seeing
    worker_metrics_port: int = Field(
        0, ge=0, le=65000, description="Port of a worker's own metrics; the next that is free, for several; 0: none."
    )
    traces: Literal["off", "otlp"] = Field(
        "off", description="Send OpenTelemetry spans; where to is told by the usual OTEL_... variables."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")

    @field_validator("data_dir", "cache_dir", "pages_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("upload_port")
    @classmethod
    def _another_port(cls, port: int, info: ValidationInfo) -> int:
        if port and port == info.data.get("port"):
            raise ValueError("must be another than BUBBLES_PORT: two processes cannot listen at one")
        return port

    @field_validator("base_url")
    @classmethod
    def _no_slash_at_the_end(cls, url: str) -> str:
        return url.rstrip("/")

    @field_validator("trusted_proxies", "shared_networks")
    @classmethod
    def _networks(cls, text: str) -> str:
        for network in filter(None, (part.strip() for part in text.split(","))):
            ip_network(network)
        return text

    @field_validator("media_delivery")
    @classmethod
    def _deliverable(cls, way: str, info: ValidationInfo) -> str:
        if way == "redirect" and not info.data.get("blob_url", "").startswith("s3:"):
            raise ValueError("redirect needs a bucket in BUBBLES_BLOB_URL: a folder has no links; use app or nginx")
        if way != "app" and info.data.get("blob_url_before"):
            raise ValueError("must be app while BUBBLES_BLOB_URL_BEFORE is set: only we know where a blob is")
        if way == "nginx" and not info.data.get("trusted_proxies"):
            raise ValueError("nginx needs BUBBLES_TRUSTED_PROXIES to name the nginx in front; without one use app")
        return way

    @field_validator("map_style_url")
    @classmethod
    def _style(cls, url: str) -> str:
        if url and not SOURCE.match(url):
            raise ValueError("must be as https://maps.example/style.json")
        return url

    @field_validator("map_sources")
    @classmethod
    def _origins(cls, text: str) -> str:
        for origin in filter(None, (part.strip() for part in text.split(","))):
            if not SOURCE.fullmatch(origin):
                raise ValueError("must be origins as https://tiles.example, with commas between")
        return text

    @property
    def public_url(self) -> str:
        """The base of every link that leaves the house, without a slash at the end."""
        return self.base_url or f"http://localhost:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether the service is for who sits at this machine, by its public address."""
        host = urlsplit(self.public_url).hostname or ""
        return host == "localhost" or host.endswith(".localhost")

    @property
    def blobs(self) -> str:
        """The blob URL in force."""
        return self.blob_url or (self.data_dir / "blobs").as_uri()

    @property
    def legal(self) -> Path:
        """Folder of the operator's own pages."""
        return Path(self.legal_dir).expanduser().absolute() if self.legal_dir else self.data_dir / "legal"

    @property
    def models_dir(self) -> Path:
        """Folder of the speech models."""
        return self.cache_dir / "models"

    @property
    def basemap_dir(self) -> Path:
        """Folder of the map's tiles and of the list of places."""
        return BUILT / "basemap" if IS_INSTALLED else self.cache_dir / "basemap"

    @property
    def places_file(self) -> Path:
        """The list of places, a row for each."""
        return self.basemap_dir / "places.tsv"

    @property
    def uploads_dir(self) -> Path:
        """Folder where uploads are received. Lies in the data folder: it may hold 48 MiB a request."""
        return self.data_dir / "uploads"


def environment_name(field: str) -> str:
    """The environment variable of a field: `port` is `BUBBLES_PORT`."""
    return f"BUBBLES_{field.upper()}"
