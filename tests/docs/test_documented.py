"""docs/reference.md tells all that can be set, run, asked, refused and seen, and makes nothing up."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import typer
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from typer.testing import CliRunner

from bubbles import cli
from bubbles.app import House
from bubbles.config import Settings, environment_name
from bubbles.errors import STATUS, Code
from bubbles.http import schemas
from bubbles.http.asgi import create_app
from bubbles.http.query import READERS
from bubbles.http.routes import OPERATIONS, Operation
from bubbles.model.bubble import State
from bubbles.model.draft import FIELDS
from bubbles.model.transcript import TranscriptState
from bubbles.policy import MAY, Action, Standing

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference.md"
ROW = re.compile(r"^\| (?!-)(.+) \|$", re.MULTILINE)
COMPUTED = {"base_url", "data_dir", "cache_dir", "pages_dir", "probes_at_once"}
"""Settings whose default depends on where they are read."""


def tables() -> dict[str, list[list[str]]]:
    """The rows of the tables under each heading, as cells."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    for section in re.split(r"^#+ ", REFERENCE.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        found[heading] += [[cell.strip() for cell in row.split(" | ")] for row in ROW.findall(body)]
    return found


TABLES = tables()
NAMED = {name for rows in TABLES.values() for row in rows for name in re.findall(r"`([^`]+)`", row[0])}
SETTINGS_TOLD = ("Where", "Who", "Work", "Connections", "Limits", "Seeing")
SETTINGS = {row[0].strip("`"): row[1] for heading in SETTINGS_TOLD for row in TABLES[heading]}
COMMANDS = {
    " ".join(re.findall(r"[a-z]+", row[0].strip("`").split(" --")[0]))
    for row in TABLES["Commands"]
    if row[0].startswith("`bubbles ")
}


def commands(group: Any, path: str = "bubbles") -> dict[str, Any]:
    """Every command that does something, by how it is typed."""
    found = {}
    for name, command in group.commands.items():
        found |= commands(command, f"{path} {name}") if hasattr(command, "commands") else {f"{path} {name}": command}
    return found


ALL_COMMANDS = commands(typer.main.get_command(cli.app))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Starlette:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), base_url="https://bubbles.example")
    return create_app(House(settings, database=None, blobs=None, transcriber=None))  # type: ignore[arg-type] # unasked


@pytest.fixture(scope="module")
def description(app: Starlette) -> dict[str, Any]:
    return TestClient(app).get("/api/openapi.json").json()


# The reference


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_documented(field: str) -> None:
    assert environment_name(field) in SETTINGS


@pytest.mark.parametrize("field", sorted(set(Settings.model_fields) - COMPUTED))
def test_the_documented_default_is_the_default(field: str) -> None:
    default = Settings.model_fields[field].default
    told = SETTINGS[environment_name(field)]
    if isinstance(default, int | float):
        assert float(told.split("`")[1]) == default
    else:
        text = default if isinstance(default, str) else default.get_secret_value()
        assert f"`{text}`" == told if text else told.startswith("empty")


def test_no_setting_is_made_up() -> None:
    assert set(re.findall(r"BUBBLES_[A-Z0-9_]+", REFERENCE.read_text())) == set(
        map(environment_name, Settings.model_fields)
    )


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_command_is_documented_and_has_a_sentence_of_help(command: str) -> None:
    assert command in COMMANDS
    assert re.match(r"[A-Z].+[.]", ALL_COMMANDS[command].help)


def test_no_command_is_made_up() -> None:
    assert set(ALL_COMMANDS) == COMMANDS


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_command_tells_what_it_is_for(command: str) -> None:
    ran = CliRunner().invoke(cli.app, [*command.split()[1:], "--help"], prog_name="bubbles", env={"COLUMNS": "300"})
    assert ran.exit_code == 0
    assert f"Usage: {command} " in ran.stdout.replace("\n", " ")
    assert " ".join(ALL_COMMANDS[command].help.split()) in ran.stdout


@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_every_option_is_documented_and_has_help(command: str) -> None:
    options = [parameter for parameter in ALL_COMMANDS[command].params if parameter.param_type_name == "option"]
    for option in options:
        assert option.help
        assert option.opts[0] in REFERENCE.read_text()


@pytest.mark.parametrize("row", OPERATIONS, ids=lambda row: f"{row.method} {row.path}")
def test_every_route_is_documented(row: Operation) -> None:
    assert f"{row.method} {row.path}" in NAMED


def test_no_route_is_made_up() -> None:
    asked = {name for name in NAMED if re.match(r"(GET|HEAD|POST|PUT|PATCH|DELETE) ", name)}
    assert asked == {f"{row.method} {row.path}" for row in OPERATIONS}


def test_every_code_is_documented_with_its_status() -> None:
    told = {row[0].strip("`"): int(row[1]) for row in TABLES["Error codes"][1:]}
    assert told == {str(code): STATUS[code] for code in Code}


def test_every_state_is_documented_in_the_order_in_which_they_hold() -> None:
    rows = [row[0].strip("`") for row in TABLES["States"] if row[0].startswith("`")]
    assert rows == [*State, *TranscriptState]


def test_every_field_and_parameter_is_documented() -> None:
    told = {
        name for heading in ("Publishing", "Finding") for row in TABLES[heading] for name in re.findall(r"\w+", row[0])
    }
    assert {*FIELDS, *READERS, "audio", "tag"} <= told


def test_every_field_of_a_bubble_is_documented() -> None:
    told = {name for row in TABLES["A bubble as it is told"] for name in re.findall(r"\w+", row[0])}
    assert set(schemas.SCHEMAS["Bubble"]["properties"]) - {"match", "distance_m"} <= told


# The routes and their description


def test_every_action_stands_in_the_policy_table() -> None:
    assert set(Action) == set(MAY)


def test_every_route_of_the_application_is_in_the_table_with_its_action(app: Starlette) -> None:
    table = {(row.method, row.path): row for row in OPERATIONS}
    assert len(table) == len(OPERATIONS)
    for route in app.routes:
        if isinstance(route, Mount):
            assert route.path == "/assets"  # built files, the same for everyone
            continue
        assert isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}:
            row = table.pop((method, route.path))
            assert row.action in MAY
            assert app.state.actions[route.endpoint] == row.action
    assert not table


def test_every_operation_is_described_with_what_it_takes_and_gives(description: dict[str, Any]) -> None:
    for row in OPERATIONS:
        operation = description["paths"][row.path][row.method.lower()]
        assert operation["summary"] == row.summary
        assert operation["responses"]
        assert row.takes in {"", *schemas.PARAMETERS, *schemas.SCHEMAS}
        assert "/" in row.gives or row.gives in {"", *schemas.SCHEMAS}
    assert sum(len(methods) for methods in description["paths"].values()) == len(OPERATIONS)


def test_the_description_is_openapi_3_1_and_its_schemas_are_schemas(description: dict[str, Any]) -> None:
    OPENAPI_31_VALIDATOR.validate(description)
    for schema in description["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def test_every_operation_has_a_name_of_its_own(description: dict[str, Any]) -> None:
    names = [each["operationId"] for methods in description["paths"].values() for each in methods.values()]
    assert len(set(names)) == len(names)


def test_every_reference_in_the_description_leads_somewhere(description: dict[str, Any]) -> None:
    for reference in re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(description)):
        assert reference in description["components"]["schemas"]


def test_every_parameter_of_a_query_is_described() -> None:
    assert set(schemas.QUERY) == {*READERS, "tag"}


def test_only_what_strangers_may_not_do_asks_for_a_token(description: dict[str, Any]) -> None:
    for row in OPERATIONS:
        operation = description["paths"][row.path][row.method.lower()]
        assert ("security" in operation) == (Standing.ANYONE not in MAY[row.action])


# `bubbles settings`


def test_the_settings_command_lists_every_setting_with_its_help_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUBBLES_S3_SECRET_ACCESS_KEY", "hunter2hunter2")
    printed = CliRunner().invoke(cli.app, ["settings"]).stdout
    lines = {line.split()[0]: line for line in printed.splitlines() if line.startswith(" BUBBLES_")}
    assert set(lines) == set(map(environment_name, Settings.model_fields))
    for name, field in Settings.model_fields.items():
        assert str(field.description) in lines[environment_name(name)]
    assert "hunter2" not in printed


@pytest.mark.parametrize(
    "url", ["postgresql://me:hunter2@db.example/bubbles", "postgresql://db.example/b?password=hunter2"]
)
def test_the_settings_command_hides_the_password_of_the_database(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("BUBBLES_DATABASE_URL", url)
    printed = CliRunner().invoke(cli.app, ["settings"]).stdout
    assert "db.example" in printed
    assert "hunter2" not in printed
