"""What it costs to hand out a job does not grow with the jobs that wait, whatever the planner takes them to be.

Its statistics lag behind: of a queue that was empty a minute ago it expects one job, and would rather find and sort
all that wait, each time. It is not to sort them: they lie in order in `procrastinate_jobs_priority_idx_v1`. And whether
another job of the same lock comes first is looked up by the lock, instead of in all of an index by (id, lock).
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER FUNCTION procrastinate_fetch_job_v2 (character varying[], bigint) SET enable_sort TO off")
    op.execute("CREATE INDEX procrastinate_jobs_of_lock ON procrastinate_jobs (lock) WHERE status IN ('todo', 'doing')")
