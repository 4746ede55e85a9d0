"""Publish a file from this machine, straight into database and store, and wait for its journey."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bubbles import accept, accounts, legal, pipeline
from bubbles.accept import Received, UploadLimits, Usual
from bubbles.app import House
from bubbles.db import away, bubbles, channels, crew, steps
from bubbles.errors import Code, Missing, Refused
from bubbles.model import draft
from bubbles.model.account import Account
from bubbles.model.bubble import Bubble, State
from bubbles.model.licence import Licence
from bubbles.model.step import SPOILED, StepName, Urgency
from bubbles.policy import Person

POLL_S = 0.3
OPERATOR = UploadLimits(per_hour=1_000_000, at_once=1_000)
"""Who works on the machine itself is not held to an account's limits."""


def publish(house: House, file: Path, fields: Mapping[str, str]) -> Bubble:
    """A bubble from a file, published as the owner of the channel in `fields` (default: the first account's).

    Raises what `accept` refuses, and `OSError` when the file cannot be read.
    """
    received = _received(file, max_bytes=house.settings.request_max_bytes)
    now = house.now()
    wanted = draft.parse(fields, limits=house.text_limits, now=now)
    with house.database.transaction() as session:
        owner = _owner(house, session, wanted.channel)
        person = Person(owner.id, owner.handle)
        ticket = accept.open_upload(session, person, idempotency_key=None, limits=OPERATOR, now=now)
    try:
        return accept.accept(
            house.database,
            house.blobs,
            person=person,
            ticket=ticket,
            draft=wanted,
            received=received,
            limits=house.probe_limits,
            silence_dbfs=house.settings.silence_dbfs,
            now=now,
            usual=Usual(Licence(house.settings.licence), legal.terms_version(house.settings.legal)),
            urgency=Urgency.LATER,
        )
    except (Refused, Missing) as error:
        with house.database.transaction() as session:
            outcome = error.code if isinstance(error, Refused) else error.part
            accept.close_upload(session, ticket, outcome=outcome, now=house.now())
        raise


def _received(file: Path, *, max_bytes: int) -> Received:
    with file.open("rb") as opened:
        length_bytes = file.stat().st_size
        if length_bytes > max_bytes:
            raise Refused(Code.TOO_LARGE, f"The file is larger than {max_bytes} bytes.")
        return Received(file, length_bytes, hashlib.file_digest(opened, "sha256").hexdigest())


def _owner(house: House, session: Session, handle: str | None) -> Account:
    if handle is None:
        return accounts.require_first(session, now=house.now())
    channel = channels.by_handle(session, handle)
    account_id = channels.owner_id(session, channel.id) if channel else None
    if account_id is None:
        raise Refused(Code.NOT_FOUND, f"There is no channel @{handle} with an owner.")
    return session.get_one(Account, account_id)


def wait(house: House, bubble_id: int) -> None:
    """Returns when the journey has ended; runs the steps here that no worker is up for.

    Raises `Missing` for what a step waits for: a part, or sound that the store has spoiled.
    """
    try:
        while not _has_ended(house, bubble_id):
            for name in _unserved(house):
                pipeline.run_step(house, name, bubble_id)
            time.sleep(POLL_S)
    except SQLAlchemyError as error:
        if not away.is_troubled(error):
            raise
        raise _missing("database") from error


def _has_ended(house: House, bubble_id: int) -> bool:
    with house.database.transaction() as session:
        bubble = bubbles.get(session, bubble_id)
        begun = [step for name in StepName if (step := steps.of(session, bubble_id, name))]
    missing = next((step.waiting_for for step in begun if step.waiting_for), None)
    if missing:
        raise _missing(missing)
    over = bubble.state not in {State.PROCESSING, State.PLAYABLE}
    return over or any(step.gave_up_at for step in begun)


def _missing(part: str) -> Missing:
    spoils = "the store gives back other sound than it was given"
    return Missing(part, f"The bubble is kept; {spoils if part == SPOILED else f'it has to wait for the {part}'}.")


def _unserved(house: House) -> list[StepName]:
    with house.database.transaction() as session:
        served = crew.slots(session)
    return [name for name in StepName if name not in served]
