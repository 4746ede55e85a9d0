"""Alembic's door: runs the revisions on the connection that `bubbles.db.engine.migrate` hands over."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=None,
    transaction_per_migration=True,  # what was done stays done, and holds no lock while the next waits
)
with context.begin_transaction():
    context.run_migrations()
