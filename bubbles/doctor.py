"""The doctor: every part with how it is and what to do. A part that is broken is a line, never an end."""

import json
import platform
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from rich.console import Console
from rich.text import Text

from bubbles import app, disk, legal, pipeline, platforms
from bubbles.audio import sandbox
from bubbles.config import REBUILD, Settings
from bubbles.db import health
from bubbles.db.front import Seen
from bubbles.db.health import Server
from bubbles.errors import Missing
from bubbles.model.front import ENOUGH
from bubbles.speech import models

LINE_MAX = 300
WALLS = {
    "network_namespace": "could reach the network; allow user namespaces without privilege (user_namespaces(7))",
    "landlock": "could open files of this account; use a kernel with Landlock (5.13 or newer)",
    "no_new_privileges": "could gain privileges; use a kernel that knows no_new_privs",
    "resource_limits": "could take all memory and time; allow setrlimit(2)",
}
"""What a recording that takes its decoder over could do where a wall does not stand."""


class Health(StrEnum):
    """How a part is: `missing` ends with status 1, `degraded` runs with less."""

    OK = "ok"
    DEGRADED = "degraded"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One line: the part, how it is, and what it is or what to do."""

    part: str
    health: Health
    text: str


STYLES = {Health.OK: "green", Health.DEGRADED: "yellow", Health.MISSING: "bold red"}
Check = Callable[[Settings], Iterator[Finding]]


def examine(settings: Settings, console: Console) -> bool:
    """Prints a line a part; False when something needed is missing. Starts the embedded database when it is down."""
    healthy = True
    for part, check in CHECKS.items():
        for finding in _findings(part, check, settings):
            healthy = healthy and finding.health is not Health.MISSING
            mark = Text(f"{finding.health:9}", style=STYLES[finding.health])
            console.print(mark, Text(f"{finding.part:12}{_hidden(finding.text, settings)}"), soft_wrap=True)
    return healthy


def _findings(part: str, check: Check, settings: Settings) -> Iterator[Finding]:
    """What a check finds; what it raises is a finding too."""
    try:
        yield from check(settings)
    except Missing as missing:
        yield Finding(part, Health.MISSING, missing.detail)
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        yield Finding(part, Health.MISSING, f"{type(error).__name__}: {lines[0][:LINE_MAX]}")


def _hidden(text: str, settings: Settings) -> str:
    """The text without the secrets of the settings, and as one line."""
    password = None
    with suppress(ValueError):
        password = urlsplit(settings.database_url).password
    keys = (settings.s3_secret_access_key, settings.s3_secret_access_key_before)
    secrets = {*(key.get_secret_value() for key in keys), password or "", unquote(password or "")}
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        text = text.replace(secret, "**********")
    return " ".join(text.split())


def _python(_: Settings) -> Iterator[Finding]:
    here = platforms.current()
    health = Health.OK if here.is_expected else Health.DEGRADED
    yield Finding("python", health, f"{platform.python_version()} on {platform.platform()}: {here.told()}")


def _database(settings: Settings) -> Iterator[Finding]:
    with app.database_url(settings) as url:
        server = health.look(url)
        where = _server_name(settings)
        yield _server(server, where)
        yield _workers(server, settings)
        yield _visitors(server.seen, settings)


def _server_name(settings: Settings) -> str:
    if not settings.database_url:
        return f"embedded in {settings.data_dir / 'postgresql'}"
    return f"at {urlsplit(settings.database_url).hostname or 'the local socket'}"


def _server(server: Server, where: str) -> Finding:
    name = f"PostgreSQL {server.version}, {where}"
    if server.major < health.VERSION_MIN:
        return Finding("database", Health.MISSING, f"{name}: too old, use {health.VERSION_MIN} or newer")
    if server.lacks:
        lacks = " and ".join(server.lacks)
        return Finding("database", Health.MISSING, f"{name}: lacks {lacks}; have its administrator create them")
    if not server.is_migrated:
        return Finding("database", Health.DEGRADED, f"{name}: its schema is not ours; run `bubbles migrate`")
    return Finding("database", Health.OK, name)


def _workers(server: Server, settings: Settings) -> Finding:
    unserved = [queue for queue in pipeline.QUEUES if queue not in server.served]
    if not unserved:
        return Finding("workers", Health.OK, f"{', '.join(pipeline.QUEUES)} are served")
    start = "`bubbles serve`" if settings.workers else "`bubbles work`, since BUBBLES_WORKERS is 0"
    text = f"nobody serves {', '.join(unserved)}: what is to be done there waits; start {start}"
    return Finding("workers", Health.DEGRADED, text)


def _visitors(seen: Seen | None, settings: Settings) -> Finding:
    """Whether a proxy stands in front that is not named: then all visitors count as one."""
    part, trust = "visitors", "name it in BUBBLES_TRUSTED_PROXIES"
    if seen is None:
        return Finding(part, Health.OK, "nobody came lately")
    told = f"{seen.requests} requests lately"
    if seen.forwarded_near or seen.forwarded * 2 > seen.requests:
        text = f"{told}, {seen.forwarded} of them forwarded by a proxy that is not trusted: if it is yours, {trust}"
        return Finding(part, Health.DEGRADED, text)
    if seen.is_one_private and seen.requests >= ENOUGH and not settings.is_local:
        text = f"{told}, all from one private address: whoever stands in front has to say who asks, see infra/README.md"
        return Finding(part, Health.DEGRADED, text)
    return Finding(part, Health.OK, told)


def _store(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.blobs)
    trials = list(app.store(settings).trials())
    well = ", ".join(trial.name for trial in trials if not trial.fault)
    if not any(trial.fault and trial.is_grave for trial in trials):
        where = f"{url.scheme}://{url.netloc}{unquote(url.path)}"
        yield Finding("store", Health.OK, f"{where} keeps what it is given: {well} are well")
    for fault, is_grave in dict.fromkeys((trial.fault, trial.is_grave) for trial in trials if trial.fault):
        names = ", ".join(trial.name for trial in trials if trial.fault == fault)
        yield Finding("store", Health.MISSING if is_grave else Health.DEGRADED, f"{names}: {fault}")


def _delivery(settings: Settings) -> Iterator[Finding]:
    """Settings that do not fit are refused before the doctor comes; what remains is what they cost."""
    way = settings.media_delivery
    if way == "app":
        yield Finding("delivery", Health.OK, "app: downloads are counted by the bytes really sent")
    else:
        text = f"{way}: downloads are counted as asked for, so they are too many; listens are not touched"
        yield Finding("delivery", Health.OK, text)


def _model(settings: Settings) -> Iterator[Finding]:
    try:
        folder = models.locate(settings.whisper_model, settings.models_dir)
    except Missing as missing:
        # Without a model bubbles are recorded, played and found by title: their words come later.
        detail = f"{missing.detail} Until then bubbles have no words."
        yield Finding("model", Health.MISSING if settings.workers else Health.DEGRADED, detail)
    else:
        yield Finding("model", Health.OK, f"{settings.whisper_model}, verified, in {folder}")


def _sandbox(_: Settings) -> Iterator[Finding]:
    walls = sandbox.isolation()
    down = [name for name, stands in walls.items() if not stands]
    if not down:
        yield Finding("sandbox", Health.OK, f"recordings are decoded behind {', '.join(walls)}")
    for name in down:
        yield Finding(
            "sandbox", Health.DEGRADED, f"no {name}: a hostile recording {WALLS.get(name, 'has one wall less')}"
        )


def _pages(settings: Settings) -> Iterator[Finding]:
    dist = settings.pages_dir / "dist"
    try:
        manifest = json.loads((dist / ".vite" / "manifest.json").read_text())
        files = [dist / str(entry["file"]) for entry in manifest.values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        yield Finding("pages", Health.MISSING, f"not built in {dist}: {REBUILD}")
        return
    lost = [file.name for file in files if not file.is_file()]
    if lost:
        yield Finding("pages", Health.MISSING, f"{', '.join(lost)} is gone from {dist}: {REBUILD}")
    else:
        yield Finding("pages", Health.OK, f"built, in {dist}")


def _basemap(settings: Settings) -> Iterator[Finding]:
    for part, file, without in (
        ("basemap", settings.basemap_dir / "world.pmtiles", "maps are blank"),
        ("places", settings.places_file, "places are told in degrees, and not found by name"),
    ):
        if file.is_file():
            yield Finding(part, Health.OK, f"built, in {file}")
        else:
            yield Finding(part, Health.DEGRADED, f"not built in {file.parent}: {REBUILD}. Until then {without}.")


def _disk(settings: Settings) -> Iterator[Finding]:
    free_bytes, _ = disk.usage(settings.data_dir)
    text = f"{free_bytes / 1024**3:.1f} GiB free for {settings.data_dir}"
    if free_bytes < disk.FULL_BYTES:
        yield Finding("disk", Health.MISSING, f"{text}: make room, the database needs it")
    elif free_bytes < disk.LOW_BYTES:
        yield Finding("disk", Health.DEGRADED, f"{text}: make room soon")
    else:
        yield Finding("disk", Health.OK, text)


def _address(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.public_url)
    host, base = url.hostname or "", settings.public_url
    if url.scheme not in {"http", "https"} or not host or url.query or url.fragment:
        yield Finding("address", Health.MISSING, f"BUBBLES_BASE_URL must be as https://bubbles.example, not {base}")
    elif _is_numeric(host):
        yield Finding("address", Health.DEGRADED, f"{base}: passkeys refuse a numeric address; use a name")
    elif url.scheme == "http" and not settings.is_local:
        yield Finding("address", Health.DEGRADED, f"{base}: browsers give no microphone without https")
    elif url.scheme == "https" and not settings.trusted_proxies:
        yield Finding("address", Health.DEGRADED, f"{base}: {app.NO_PROXY}")
    else:
        yield Finding("address", Health.OK, base)


def _is_numeric(host: str) -> bool:
    with suppress(ValueError):
        return bool(ip_address(host))
    return False


def _legal(settings: Settings) -> Iterator[Finding]:
    unwritten = [f"{name}.md" for name in legal.NAMES if not legal.texts(settings.legal, name)]
    needed = [name for name in unwritten if name != "privacy.md"]  # that page has something to say by itself
    if needed:
        text = f"{' and '.join(needed)} not written in {settings.legal}: the pages say so to everyone"
        yield Finding("legal", Health.DEGRADED, text)
    else:
        yield Finding("legal", Health.OK, f"terms {legal.terms_version(settings.legal)}, in {settings.legal}")


CHECKS: dict[str, Check] = {
    "python": _python,
    "address": _address,
    "disk": _disk,
    "database": _database,
    "store": _store,
    "delivery": _delivery,
    "model": _model,
    "sandbox": _sandbox,
    "pages": _pages,
    "basemap": _basemap,
    "legal": _legal,
}
