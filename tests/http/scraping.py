"""What /metrics says, sample by sample, and steps that it may tell of."""

from datetime import timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session
from starlette.testclient import TestClient

from bubbles.model.step import Step, StepName
from tests.http.conftest import MONDAY_22

HOUR = timedelta(hours=1)
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(client: TestClient) -> Samples:
    """Every sample by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def told(samples: Samples, metric: str, **labels: str) -> float | None:
    """The value of one sample, if it is there."""
    return samples.get((metric, frozenset(labels.items())))


def step(session: Session, bubble: Any, name: str = StepName.TRANSCRIBE, **columns: Any) -> None:
    """A step of a bubble, queued an hour ago."""
    session.add(Step(bubble_id=bubble.id, name=name, **({"queued_at": MONDAY_22 - HOUR} | columns)))
