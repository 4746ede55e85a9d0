"""Who asks, behind the shipped nginx: nobody forges an address, and no request hides in another."""

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlmodel import select

from bubbles.meters import REQUESTS
from bubbles.model.listening import Served
from tests.conftest import CHECKOUT
from tests.http.conftest import FIREFOX
from tests.http.test_smuggling import AMBIGUOUS
from tests.http.wire import everything
from tests.infra.conftest import Site
from tests.infra.proxy import Proxy, nginx
from tests.journey.service import wait_for

INFRA = CHECKOUT / "infra"
COMPOSE = yaml.safe_load((INFRA / "compose.yaml").read_text())
REALIP = (INFRA / "nginx" / "realip.conf").read_text()
FORGED = {
    "one": {"X-Forwarded-For": "192.0.2.7"},
    "a chain": {"X-Forwarded-For": "192.0.2.8, 10.0.0.1, 127.0.0.1"},
    "itself": {"X-Forwarded-For": "127.0.0.1, 127.0.0.1"},
    "nonsense": {"X-Forwarded-For": "unknown, ,"},
    "another header": {"X-Real-IP": "192.0.2.9", "Forwarded": "for=192.0.2.9", "X-Client-IP": "192.0.2.9"},
    "vendors'": {"CF-Connecting-IP": "192.0.2.9", "True-Client-IP": "192.0.2.9", "X-Cluster-Client-IP": "192.0.2.9"},
    "underscores": {"X_Forwarded_For": "192.0.2.10"},
    "a port": {"X-Forwarded-For": "192.0.2.11:80"},
}


def visitors(there: Site, bubble: Any) -> list[int]:
    """How often each visitor asked for a bubble's sound."""
    with there.house.database.transaction() as session:
        found = session.exec(select(Served).where(Served.bubble_id == bubble.id)).all()
        return sorted(row.requests for row in found)


@pytest.fixture(scope="module")
def believing(there: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx that believes 127.0.0.1 about who asks, by the shipped lines."""
    lines = re.findall(r"^# (\w+ [^ ;]+;)$", REALIP, re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["set_real_ip_from", "real_ip_header", "real_ip_recursive"]
    changes = {f"# {line}": line.replace("10.0.0.5", "127.0.0.1") for line in lines}
    folder = tmp_path_factory.mktemp("believing") / "proxy"
    with nginx(folder, application=there.port, changes=changes) as proxy:
        yield proxy


def test_as_shipped_no_header_names_another_visitor(there: Site) -> None:
    bubble = there.world.bubble(length_bytes=100)
    for headers in FORGED.values():
        there.client.get(f"/media/{bubble.code}.m4a", headers=headers)
    wait_for(lambda: visitors(there, bubble) == [len(FORGED)])


def test_behind_a_proxy_the_last_whom_nobody_trusts_is_the_visitor(there: Site, believing: Proxy) -> None:
    bubble = there.world.bubble(length_bytes=100)
    chains = ("8.8.8.8", "9.9.9.9, 8.8.8.8", "1.1.1.1, 8.8.8.8, 127.0.0.1", "127.0.0.1, 8.8.8.8", "x, 8.8.8.8")
    for chain in chains:
        headers = {"User-Agent": FIREFOX, "X-Forwarded-For": chain, "Forwarded": "for=7.7.7.7", "X-Real-IP": "7.7.7.7"}
        httpx.get(f"{believing.url}/media/{bubble.code}.m4a", headers=headers, timeout=60)
    wait_for(lambda: visitors(there, bubble) == [len(chains)])


def asked() -> int:
    """How many requests have come to the application behind."""
    (family,) = REQUESTS.collect()
    return int(sum(sample.value for sample in family.samples if sample.name.endswith("_total")))


def test_no_request_hides_in_another(there: Site) -> None:
    """What nginx takes for so many requests, the application takes for as many."""
    assert there.proxy
    before, logged = asked(), len(there.proxy.log())
    for sent in AMBIGUOUS.values():
        with there.proxy.ask("") as client:
            client.sendall(sent)
            everything(client)
    lines = wait_for(lambda: (found := there.proxy and there.proxy.log()[logged:]) and len(found) >= 25 and found)
    passed_on = [line for line in lines if line.split()[6] != "-"]
    wait_for(lambda: asked() - before == len([line for line in there.proxy.log()[logged:] if line.split()[6] != "-"]))  # type: ignore[union-attr]
    assert len(passed_on) < len(lines)


# Every answer is what it says


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("GET /", "", 200),
        ("GET /nothing", "", 404),
        ("HEAD /nothing", "", 404),
        ("GET /healthz", "", 404),
        ("GET /_bubbles/disk/x", "", 404),
        ("BREW /", "", 400),
        ("TRACE /", "", 405),
        ("GET /robots.txt", "Range: bytes=99999-", 200),
        ("GET /assets/nothing.js", "", 404),
        ("POST /sign-in", "Content-Length: 99999999", 413),
        ("GET /" + "a" * 40_000, "", 414),
        ("GET /", "X: " + "a" * 40_000, 400),
        ("GET /", "no header", 400),
        ("GET /", "Transfer-Encoding: nonsense", 501),
    ],
)  # fmt: skip
def test_nginx_says_nosniff_on_all_that_it_sends_once(
    there: Site, request_line: str, headers: str, status: int
) -> None:
    assert there.proxy
    lines = [f"{request_line} HTTP/1.1", "Host: x", "Connection: close", *filter(None, [headers]), "", ""]
    with there.proxy.ask("\n".join(lines)) as client:
        received = everything(client).decode("latin-1")
    assert received.startswith(f"HTTP/1.1 {status} ")
    assert received.lower().count("x-content-type-options: nosniff") == 1


def test_nginx_says_nosniff_when_the_application_is_away(tmp_path: Path) -> None:
    with nginx(tmp_path / "proxy", application=9) as proxy:
        for path in ("/", "/api/bubbles", "/media/x.m4a"):
            answer = httpx.get(f"{proxy.url}{path}", timeout=60)
            assert (answer.status_code, answer.headers.get_list("x-content-type-options")) == (503, ["nosniff"])


@pytest.mark.parametrize("file", sorted((INFRA / "nginx").glob("*.conf")), ids=lambda path: path.name)
def test_what_has_headers_of_its_own_says_nosniff_again(file: Path) -> None:
    """nginx inherits headers only where none are added."""
    for block in re.split(r"^}", file.read_text(), flags=re.MULTILINE):
        if "add_header" in block:
            assert "add_header X-Content-Type-Options nosniff always;" in block, block


# Networks


def test_compose_trusts_addresses_that_nobody_else_gets() -> None:
    nginx_at = COMPOSE["services"]["nginx"]["networks"]["back"]["ipv4_address"]
    assert COMPOSE["x-bubbles"]["environment"]["BUBBLES_TRUSTED_PROXIES"] == nginx_at
    (back,) = COMPOSE["networks"]["back"]["ipam"]["config"]
    assert ip_address(nginx_at) in ip_network(back["subnet"])
    assert ip_address(nginx_at) not in ip_network(back["ip_range"])
    assert ip_network(back["ip_range"]).subnet_of(ip_network(back["subnet"]))  # type: ignore[type-var]
    assert nginx_at != back["gateway"]


def test_compose_believes_only_what_comes_by_this_machines_loopback() -> None:
    (front,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    lines = COMPOSE["configs"]["realip"]["content"].split("\n")
    assert lines[0] == f"set_real_ip_from ${{FRONT_PROXY:-{front['gateway']}}};"
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["nginx"]["ports"])
    targets = {each["target"] for each in COMPOSE["services"]["nginx"]["configs"]}
    assert "/etc/nginx/nginx/realip.conf" in targets
    assert [name for name, service in COMPOSE["services"].items() if "front" in service.get("networks", ["back"])] == [
        "nginx"
    ]


MANIFESTS = {path.name: list(yaml.safe_load_all(path.read_text())) for path in (INFRA / "kubernetes").glob("*.yaml")}
POLICIES = {
    each["metadata"]["name"]: each["spec"]
    for documents in MANIFESTS.values()
    for each in documents
    if each["kind"] == "NetworkPolicy"
}


def test_in_a_cluster_nobody_is_reached_and_reaches_out_but_by_name() -> None:
    whole = POLICIES["bubbles"]
    assert whole == {"podSelector": {"matchLabels": {"app": "bubbles"}}, "policyTypes": ["Ingress", "Egress"]}
    for name, spec in POLICIES.items():
        for rule in [*spec.get("egress", []), *spec.get("ingress", [])]:
            peers = rule.get("to") or rule.get("from")
            assert peers, f"{name} has a rule for everybody"
            assert rule["ports"]
            for peer in peers:
                if "namespaceSelector" in peer:
                    assert "podSelector" in peer, f"{name} names a whole namespace"
                if "ipBlock" in peer:
                    assert ip_network(peer["ipBlock"]["cidr"]).num_addresses == 1


def test_in_a_cluster_what_is_believed_is_a_network_of_pods_and_the_same_in_both_places() -> None:
    (settings,) = [each["data"] for each in MANIFESTS["bubbles.yaml"] if each["kind"] == "ConfigMap"]
    trusted = settings["BUBBLES_TRUSTED_PROXIES"]
    assert ip_network(trusted).prefixlen >= 16
    assert f"set_real_ip_from {trusted};" in (INFRA / "kubernetes" / "realip.conf").read_text()


def test_in_a_cluster_images_are_named_in_one_file_by_digest() -> None:
    text = "".join((INFRA / "kubernetes" / name).read_text() for name in MANIFESTS)
    named = set(re.findall(r"image: (\S+)", text))
    file = (INFRA / "kubernetes" / "images.env.example").read_text()
    filled = dict(re.findall(r"^(\w+)=(.+)$", file, re.MULTILINE))
    assert named == {f"${{{name}}}" for name in filled}
    assert all(re.fullmatch(r"[a-z0-9./-]+@sha256:[0-9a-f]{64}", image) for image in filled.values())
    told = (INFRA / "kubernetes" / "README.md").read_text()
    assert all(f"${name}" in told for name in filled)
    assert set(re.findall(r"\$(\w+)", text.replace("{", "").replace("}", ""))) == set(filled)
