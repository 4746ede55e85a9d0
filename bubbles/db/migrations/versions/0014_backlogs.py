"""Jobs are handed out in their order, without a look at all that wait for each of them.

The planner's statistics lag behind: of a queue that was empty a minute ago it expects one job, finds all that wait and
sorts them, for each one that it hands out. It is not to sort them: they lie in order in
`procrastinate_jobs_priority_idx_v1`. Whether another job of the same lock comes first is looked up by the lock, instead
of in all of an index by (id, lock); until the statistics are new it may still read those that wait once, 0.3 us each.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER FUNCTION procrastinate_fetch_job_v2 (character varying[], bigint) SET enable_sort TO off")
    op.execute("CREATE INDEX procrastinate_jobs_of_lock ON procrastinate_jobs (lock) WHERE status IN ('todo', 'doing')")
