"""How the house stands, as families of gauges. Every label has few values, all of them words of ours."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from bubbles.db.figures import Figures
from bubbles.http.parts import Stand
from bubbles.model.step import StepName
from bubbles.pipeline import QUEUES

Values = Mapping[Any, float]
"""A number for each tuple of label values."""


def families(stand: Stand) -> Iterator[Metric]:
    """All of them; those of the rows only when they could be asked."""
    up = {(part,): float(word == "ok") for part, word in stand.parts.items()}
    yield _gauge("bubbles_up", "1 for each part that is there and well, else 0.", ["part"], up)
    yield _gauge("bubbles_look_seconds", "Seconds that looking at the parts and rows took.", [], {(): stand.took_s})
    if stand.disk is not None:
        free_bytes, whole_bytes = stand.disk
        yield _gauge("bubbles_disk_free_bytes", "Free bytes of the data folder's disk.", [], {(): free_bytes})
        yield _gauge("bubbles_disk_size_bytes", "Size of the data folder's disk.", [], {(): whole_bytes})
    if stand.census is not None:
        counts = {(str(state),): count for state, count in stand.census.states.items()}
        yield _gauge("bubbles_bubbles", "Bubbles by state, counted now and then.", ["state"], counts)
        given_up = _by_step(stand.census.given_up)
        yield _gauge("bubbles_steps_given_up", "Steps given up, until tried again by hand.", ["step"], given_up)
    if stand.rows is not None:
        yield from _steps(stand.rows.figures)
        yield from _crew(stand.rows.figures)
        yield from _rest(stand.rows.figures)


def _steps(found: Figures) -> Iterator[Metric]:
    waits = ["step", "waits_for"]
    waiting = {(name, "worker"): 0.0 for name in StepName} | {key: each.count for key, each in found.waiting.items()}
    oldest = dict.fromkeys(waiting, 0.0) | {key: each.oldest_s for key, each in found.waiting.items()}
    yield _gauge("bubbles_steps_waiting", "Steps that wait, by what for.", waits, waiting)
    yield _gauge("bubbles_steps_oldest_seconds", "Age of the oldest step that waits, by what for.", waits, oldest)
    yield _gauge("bubbles_steps_running", "Steps that run.", ["step"], _by_step(found.running))
    runs = {name: each for name, each in found.runs.items() if each.sound_s > 0}
    factor = {(name,): each.work_s / each.sound_s for name, each in runs.items()}
    done = _by_step({name: each.count for name, each in found.runs.items()})
    yield _gauge("bubbles_steps_finished_last_hour", "Steps that ended well in the last hour.", ["step"], done)
    told = "Seconds of work for a second of sound, over the latest runs of the last hour."
    yield _gauge("bubbles_step_real_time_factor", told, ["step"], factor)


def _crew(found: Figures) -> Iterator[Metric]:
    slots = {(queue,): found.slots.get(queue, 0) for queue in QUEUES}
    told = "Jobs of a queue that living workers can run at once; 0: nobody serves it."
    yield _gauge("bubbles_workers_slots", told, ["queue"], slots)
    ran = {(each.name,): each.ran_at.timestamp() for each in found.chores}
    yield _gauge("bubbles_chore_ran_timestamp_seconds", "When a chore last ended, well or not.", ["chore"], ran)
    failed = {(each.name,): each.failed_at.timestamp() if each.failed_at else 0.0 for each in found.chores}
    yield _gauge("bubbles_chore_failed_timestamp_seconds", "When it last ended badly; 0: never.", ["chore"], failed)
    took = {(each.name,): each.took_s for each in found.chores}
    yield _gauge("bubbles_chore_seconds", "Seconds that its last run took.", ["chore"], took)
    latest = {(each.name, what): count for each in found.chores for what, count in each.latest.items()}
    yield _gauge("bubbles_chore_latest", "What its last run did, by what was counted.", ["chore", "what"], latest)
    totals = {(each.name, what): count for each in found.chores for what, count in each.totals.items()}
    yield _gauge("bubbles_chore_done", "What it did ever, by what was counted.", ["chore", "what"], totals)


def _rest(found: Figures) -> Iterator[Metric]:
    yield _gauge("bubbles_jobs", "Jobs of the queue, by queue and status.", ["queue", "status"], found.jobs)
    yield _gauge("bubbles_discards_due", "Blobs that are to be deleted now.", [], {(): found.discards.count})
    oldest = "For how long the oldest of them is to be deleted."
    yield _gauge("bubbles_discards_oldest_seconds", oldest, [], {(): found.discards.oldest_s})
    ahead = "Seconds that the database's clock is before this process's."
    yield _gauge("bubbles_clock_ahead_seconds", ahead, [], {(): found.clock_ahead_s})


def _by_step(counts: Mapping[str, int]) -> Values:
    """A number for each step, 0 where there is nothing to count."""
    return {(str(name),): counts.get(name, 0) for name in StepName}


def _gauge(name: str, told: str, labels: Iterable[str], values: Values) -> Metric:
    family = GaugeMetricFamily(name, told, labels=list(labels))
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family
