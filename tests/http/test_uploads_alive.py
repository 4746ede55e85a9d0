"""An upload under way keeps its key by signs of life; one that died with its process does not."""

import asyncio
from datetime import timedelta

import pytest

from bubbles import accept, accounts
from bubbles.accept import UploadLimits
from bubbles.errors import Code, Refused
from bubbles.http import uploads
from bubbles.model.upload import Upload
from bubbles.policy import Person

MINUTES = timedelta(minutes=5)


def opened(house, person: Person) -> accept.Ticket:
    with house.database.transaction() as session:
        return accept.open_upload(
            session, person, idempotency_key="take", limits=UploadLimits(per_hour=100, at_once=2), now=house.now()
        )


def somebody(house) -> Person:
    with house.database.transaction() as session:
        account = accounts.create(session, "beating", now=house.now())
        return Person(account.id, account.handle)


def seen_at(house, ticket: accept.Ticket):
    with house.database.transaction() as session:
        return session.get_one(Upload, ticket.upload_id).seen_at


def test_a_slow_upload_that_lives_keeps_its_key_and_a_dead_one_frees_it(house, clock, monkeypatch):
    monkeypatch.setattr(accept, "BEAT_S", 0.01)
    person = somebody(house)
    ticket = opened(house, person)
    clock.at += MINUTES

    async def receive_slowly() -> None:
        async with uploads._kept_alive(house, ticket), asyncio.timeout(60):
            while await asyncio.to_thread(seen_at, house, ticket) is None:
                await asyncio.sleep(0.01)

    asyncio.run(receive_slowly())
    with pytest.raises(Refused) as refused:
        opened(house, person)
    assert refused.value.code is Code.CONFLICT
    clock.at += timedelta(seconds=refused.value.retry_after_s)
    assert opened(house, person).upload_id != ticket.upload_id
