"""The queue's own tables, as Procrastinate 3.10 ships them."""

from typing import Any

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The driver's own cursor: the script is full of `:` and `%`, which SQLAlchemy and psycopg would read as parameters.
    driver: Any = op.get_bind().connection.driver_connection
    driver.execute(SchemaManager.get_schema(), prepare=False)
