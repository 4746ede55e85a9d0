"""The dashboard, the alerts and the runbook speak of what there is, and leave nothing out."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from typer.main import get_command

from bubbles import chores, cli
from bubbles.config import Settings, environment_name
from bubbles.db.figures import WAITS_FOR
from bubbles.errors import Code
from bubbles.http.parts import Parts
from bubbles.model.step import StepName
from bubbles.shift import Shift

INFRA = Path(__file__).resolve().parents[2] / "infra"
REFERENCE = INFRA.parent / "docs" / "reference.md"
RULES = [rule for group in yaml.safe_load((INFRA / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((INFRA / "grafana" / "bubbles.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RUNBOOK = (INFRA / "RUNBOOK.md").read_text()
ANSWERS = dict(re.findall(r"^### (\w+)\n\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
ALERTED = [rule["expr"] for rule in RULES]
SHOWN = [target["expr"] for panel in PANELS for target in panel["targets"]]
METRIC = re.compile(r"\b((?:bubbles|process)_[a-z_]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(?:=~|!~|!=|=)"([^"]*)"')
TARGET = {"instance", "job"}
"""Labels that Prometheus itself gives what it scrapes."""


@pytest.fixture(scope="module")
def families() -> dict[str, Any]:
    """What was told last, by name."""
    return {}


@pytest.fixture(autouse=True)
def _told(house: Any, app: Any, families: dict[str, Any]) -> None:
    if families:
        return
    with chores.told(house, "sweep") as counts:
        counts["files"] += 1
    with TestClient(app, client=("127.0.0.1", 50000)) as client:
        client.get("/b/AAAAAAAAAAAAAAAA")
        text = client.get("/metrics").text
    families |= {family.name: family for family in text_string_to_metric_families(text)}


def used() -> Iterator[tuple[str, str]]:
    """Every metric that an expression names, by its family's name, with its matchers."""
    for expression in ALERTED + SHOWN:
        for name, matchers in METRIC.findall(expression):
            yield re.sub(r"_(bucket|count|sum|total)$", "", name), matchers


def test_every_metric_that_is_used_exists(families: dict[str, Any]) -> None:
    assert {name for name, _ in used()} <= set(families)


def test_every_metric_of_ours_is_on_the_dashboard_or_in_an_alert(families: dict[str, Any]) -> None:
    assert {name for name in families if name.startswith("bubbles_")} <= {name for name, _ in used()}


def test_every_metric_of_ours_is_documented_with_its_labels(families: dict[str, Any]) -> None:
    rows = re.findall(r"^\| `(bubbles_\w+)` \|([^|]*)\|", REFERENCE.read_text(), re.MULTILINE)
    documented = {name.removesuffix("_total"): set(re.findall(r"\w+", labels)) for name, labels in rows}
    assert set(documented) == {name for name in families if name.startswith("bubbles_")}
    for name, labels in documented.items():
        for sample in families[name].samples:
            assert set(sample.labels) - {"le"} == labels, name


def test_every_value_that_is_asked_for_can_be_there(app: Any) -> None:
    hours = timedelta(hours=1)
    known = {
        "part": set(_parts(app)),
        "chore": {job.name for job in chores.jobs(app.state.house, Shift(), overdue_after=hours)} | {"backup"},
        "step": set(StepName),
        "waits_for": set(WAITS_FOR),
        "code": set(Code),
        "peer": {"near", "far"},
        "outcome": {"ok", "absent", "taken", "away", "failed", "committed", "rolled_back"},
        "operation": {"sweep"},
        "what": {chores.ORPHANS_KEPT},
        "status": {"failed", "5.."},
    }
    for _, matchers in used():
        for label, value in MATCHER.findall(matchers):
            if label in known:
                assert set(value.split("|")) <= known[label], (label, value)
            else:
                assert label in {"route", *TARGET}


def _parts(app: Any) -> list[str]:
    with TestClient(app) as client:
        assert Parts.of(app)
        return list(client.get("/readyz").json()["parts"])


def test_every_label_that_is_asked_for_is_there(families: dict[str, Any]) -> None:
    for name, matchers in used():
        samples = families[name].samples
        labels = {label for sample in samples for label in sample.labels} | TARGET
        if samples:
            assert {label for label, _ in MATCHER.findall(matchers)} <= labels, name


# Alerts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_how_urgent_it_is_and_what_is_wrong(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))


def test_the_runbook_answers_each_alert_and_no_other() -> None:
    assert list(ANSWERS) == [rule["alert"] for rule in RULES]
    assert len(set(ANSWERS)) == len(RULES)


@pytest.mark.parametrize("alert", ANSWERS)
def test_an_answer_says_what_it_means_what_people_notice_where_to_look_and_what_to_do(alert: str) -> None:
    assert re.findall(r"^\*\*(.+?):\*\*", ANSWERS[alert], re.MULTILINE) == ["Means", "People notice", "Look", "Do"]


def test_the_runbook_names_settings_and_commands_that_there_are() -> None:
    settings = set(map(environment_name, Settings.model_fields))
    assert set(re.findall(r"BUBBLES_[A-Z0-9_]+", RUNBOOK)) <= settings
    group: Any = get_command(cli.app)
    for command in re.findall(r"(?:`|bin/)bubbles ([a-z]+)", RUNBOOK):
        assert command in group.commands


def test_every_expression_is_promql() -> None:
    for expression in ALERTED + SHOWN:
        promql_parser.parse(expression.replace("$__rate_interval", "5m"))


# The dashboard


def test_every_panel_says_what_it_shows_and_has_a_place_of_its_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"]
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["expr"]
            assert target["datasource"]["uid"] == "${datasource}"
