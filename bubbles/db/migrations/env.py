"""Alembic's door: runs the revisions on the connection that `bubbles.db.engine.migrate` hands over."""

from collections.abc import Collection, Mapping
from typing import Any

from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import text

NOTED = text("INSERT INTO alembic_needs (revision) VALUES (:revision) ON CONFLICT DO NOTHING")


def note_what_it_needs(
    ctx: MigrationContext,
    step: MigrationInfo,
    heads: Collection[Any],  # noqa: ARG001 - Alembic hands over all
    run_args: Mapping[str, Any],  # noqa: ARG001 - as above
) -> None:
    """Writes down which revision code has to know from here on, in the transaction of the revision that says so."""
    needed = getattr(getattr(step.up_revision, "module", None), "NEEDS", None)
    if needed and ctx.connection:
        ctx.connection.execute(text("CREATE TABLE IF NOT EXISTS alembic_needs (revision text PRIMARY KEY)"))
        ctx.connection.execute(NOTED, {"revision": needed})


context.configure(
    connection=context.config.attributes["connection"],
    on_version_apply=note_what_it_needs,
    target_metadata=None,
    transaction_per_migration=True,  # what was done stays done, and holds no lock while the next waits
)
with context.begin_transaction():
    context.run_migrations()
