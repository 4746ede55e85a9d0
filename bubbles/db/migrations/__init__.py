"""Alembic revisions, run by `bubbles migrate` and at every start."""
