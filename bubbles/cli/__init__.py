"""The command line. Exit status: 0 done, 1 refused (with the reason), 2 wrong usage.

The commands about people are in `people.py`.
"""

import platform
import re
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bubbles import find, logs, moderation, pipeline, publish, upkeep
from bubbles.cli.blobs import blobs_app
from bubbles.cli.keeping import back_up, restore, sweep
from bubbles.cli.opened import as_service, bubble_of, errors, house
from bubbles.cli.people import account_app, channel_app, token_app
from bubbles.cli.sentences import sentence
from bubbles.cli.steps import list_steps, retry_steps
from bubbles.config import PACKAGE, Settings, environment_name
from bubbles.limits import Limits
from bubbles.model import draft

app = typer.Typer(
    name="bubbles",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
model_app = typer.Typer(help="The speech model.", no_args_is_help=True)
app.add_typer(account_app, name="account")
app.add_typer(token_app, name="token")
app.add_typer(channel_app, name="channel")
app.add_typer(model_app, name="model")
app.add_typer(blobs_app, name="blobs")
app.command("backup")(back_up)
app.command("restore")(restore)
app.command("sweep")(sweep)
app.command("steps")(list_steps)
app.command("retry")(retry_steps)

Reason = Annotated[str, typer.Option(help="Why; the team reads it.")]
OPERATOR = "operator"
"""Who acts by the command line."""


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"bubbles {version('bubbles')}")
        print(f"Python {platform.python_version()} on {platform.machine()}, from {PACKAGE}")
        raise typer.Exit


@app.callback()
def everywhere(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version, and where it is."),
    ] = False,
) -> None:
    """Voice, tied to a place, that can be found and trusted."""


def main() -> None:
    """Runs the command; what is refused ends with status 1 and the reason."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was opened is closed
    logs.catch_the_rest()
    try:
        app()
    except Exception as error:
        told = sentence(error)
        if told is None:
            raise
        errors.print(f"bubbles: {told}", markup=False)
        sys.exit(1)


@app.command()
def serve() -> None:
    """Serve the web pages and the API, with workers beside."""
    from bubbles.serve import serve as run  # noqa: PLC0415 - the web is not loaded for other commands

    settings = Settings()
    logs.configure(settings.log_level)
    run(settings, lambda line: print(line, flush=True))


@app.command()
def receive(
    parent: Annotated[int, typer.Option(help="Leave when this process, which started it, dies.")] = 0,
) -> None:
    """Serve uploads at BUBBLES_UPLOAD_PORT, giving way to `serve`, which starts this by itself."""
    from bubbles import worker  # noqa: PLC0415 - as above
    from bubbles.serve import receive as run  # noqa: PLC0415 - as above

    settings = Settings()
    if not settings.upload_port:
        raise typer.BadParameter("No port for uploads is set; set BUBBLES_UPLOAD_PORT.")
    logs.configure(settings.log_level)
    if parent:
        worker.leave_with(parent)
    with as_service():
        run(settings)


@app.command()
def work(
    queues: Annotated[str, typer.Option(help="Only these: normalise, transcribe, upkeep; commas between.")] = "",
    parent: Annotated[int, typer.Option(help="Leave when this process, which started the worker, dies.")] = 0,
) -> None:
    """Run the steps of the journey: make recordings playable, write down what was said."""
    from bubbles import worker  # noqa: PLC0415 - as above

    if parent:
        worker.leave_with(parent)
    named = [name.strip() for name in queues.split(",")] if queues else pipeline.QUEUES
    with as_service(), house(patient=True) as opened:
        worker.work(opened, named)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    with house() as opened:
        print(f"PostgreSQL {opened.database.check()} is up to date.")


@app.command()
def settings() -> None:
    """List every setting with its value, default and help."""
    table = Table("setting", "value", "default", "help", box=None)
    current = Settings()
    limits_last = sorted(Settings.model_fields.items(), key=lambda each: each[0] in Limits.model_fields)
    for name, field in limits_last:
        default = field.get_default(call_default_factory=True, validated_data={})
        value = _without_password(str(getattr(current, name)))
        table.add_row(environment_name(name), value, str(default), field.description, style=_style(value, default))
    Console(soft_wrap=not sys.stdout.isatty(), width=None if sys.stdout.isatty() else 240).print(table)


def _without_password(url: str) -> str:
    """A URL that can be shown; any other text as it is."""
    shown = re.sub(r"(://[^:/?#@]*):.*@", r"\1:**********@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1**********", shown)


def _style(value: str, default: object) -> str:
    return "bold" if value != str(default) else ""


@app.command()
def doctor() -> None:
    """Check what works, what is missing and what to do. Status 1 when something needed is missing."""
    from bubbles.doctor import examine  # noqa: PLC0415 - as above

    sys.exit(0 if examine(Settings(), Console()) else 1)


@app.command()
def demo() -> None:
    """Publish a couple of dozen spoken bubbles around two cities, through the real journey."""
    from bubbles.demo import speak_bubbles  # noqa: PLC0415 - the voices are an extra

    with house() as opened:
        speak_bubbles(opened, errors)


@app.command("publish")
def publish_file(  # noqa: PLR0917 - options, which nobody passes by position
    file: Annotated[Path, typer.Argument(help="A recording of at most two minutes.")],
    at: Annotated[str, typer.Option(help="Where: latitude,longitude in degrees.")] = "",
    title: Annotated[str, typer.Option(help="A title.")] = "",
    channel: Annotated[str, typer.Option(help="The channel's handle; default: the first account's.")] = "",
    precision: Annotated[str, typer.Option(help="exact, street, neighbourhood, town or none.")] = "",
    place_role: Annotated[str, typer.Option(help="recorded (here) or about (this place).")] = "",
    language: Annotated[str, typer.Option(help="The language spoken, as en or pt-BR; default: detected.")] = "",
    tags: Annotated[str, typer.Option(help="Tags, separated by commas.")] = "",
    visibility: Annotated[str, typer.Option(help="public, unlisted or private.")] = "",
    wait: Annotated[bool, typer.Option(help="Wait until it is transcribed; run the steps if no worker does.")] = False,
) -> None:
    """Publish a recording; prints its share link."""
    latitude, longitude = _split(at, what="--at") if at else ("", "")
    fields = {
        "latitude": latitude,
        "longitude": longitude,
        "title": title,
        "channel": channel,
        "precision": precision,
        "place_role": place_role,
        "language": language,
        "tags": tags,
        "visibility": visibility,
    }
    with house() as opened:
        bubble = publish.publish(opened, file, fields)
        if wait:
            with errors.status("Making it playable, writing down what is said"):
                publish.wait(opened, bubble.id)
        print(f"{opened.settings.public_url}/b/{bubble.code}")


def _split(pair: str, *, what: str) -> tuple[str, str]:
    latitude, comma, longitude = pair.partition(",")
    if not comma:
        raise typer.BadParameter(f"{what} takes LATITUDE,LONGITUDE, such as 48.8566,2.3522.")
    return latitude.strip(), longitude.strip()


def _point(pair: str, *, what: str) -> tuple[float, float]:
    latitude, longitude = _split(pair, what=what)
    return draft.coordinate(latitude, what=what), draft.coordinate(longitude, what=what)


@app.command()
def search(
    words: Annotated[str, typer.Argument(help="What was said, or a title.")],
    near: Annotated[str, typer.Option(help="latitude,longitude in degrees.")] = "",
    radius: Annotated[float, typer.Option(help="Metres around --near.")] = 5_000,
) -> None:
    """Find bubbles by what was said, and where."""
    point = _point(near, what="--near") if near else None
    query = find.Query(q=words, near=point, radius_m=radius if point else None)
    with house() as opened, opened.database.transaction() as session:
        items = find.find(session, query).items
        for found in items:
            start_s = int(found.match.start_s) if found.match else 0
            print(f"{opened.settings.public_url}/b/{found.whole.bubble.code}#t={start_s}")
            print(f"  {found.match.snippet if found.match else found.whole.bubble.title}")
    if not items:
        errors.print("Nothing was found.")


@app.command()
def hold(code: str, reason: Reason) -> None:
    """Hide a bubble from everyone but its team, until it is released."""
    with house() as opened, opened.database.transaction() as session:
        moderation.hold(session, bubble_of(session, code), by=OPERATOR, reason=reason, now=opened.now())


@app.command()
def release(code: str, reason: Reason) -> None:
    """Show a held bubble again."""
    with house() as opened, opened.database.transaction() as session:
        moderation.release(session, bubble_of(session, code), by=OPERATOR, reason=reason, now=opened.now())


@app.command()
def withdraw(code: str, reason: Reason) -> None:
    """Hide a bubble for good, and purge it everywhere."""
    with house() as opened:
        with opened.database.transaction() as session:
            bubble = bubble_of(session, code)
            moderation.withdraw(session, bubble, by=OPERATOR, reason=reason, now=opened.now())
        upkeep.discard(opened.database, opened.blobs, now=opened.now())


@model_app.command("fetch")
def model_fetch() -> None:
    """Fetch the speech model that is set, and verify it."""
    from bubbles.speech import models  # noqa: PLC0415 - as above

    current = Settings()
    with Progress(console=errors) as progress:
        task = progress.add_task(f"Speech model {current.whisper_model}", total=None)

        def report(done_bytes: int, total_bytes: int) -> None:
            progress.update(task, completed=done_bytes, total=total_bytes)

        path = models.fetch(current.whisper_model, current.models_dir, report)
    print(f"The model {current.whisper_model} is in {path}")
