"""What was answered to writes that name a key, for a day."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Hashes only, and an answer without its entity: nothing here is anybody's, so an erasure has nothing to do.
_KEYS = """
create table idempotency_keys (
    key        bytea primary key,
    request    bytea not null,
    token      bigint not null,
    claimed_at timestamptz not null default clock_timestamp(),
    answer     text
)
"""
_BY_AGE = "create index idempotency_keys_by_age on idempotency_keys (claimed_at)"


def upgrade() -> None:
    """Create the table."""
    op.execute(_KEYS)
    op.execute(_BY_AGE)


def downgrade() -> None:
    """Drop it: a write that is sent again is done again."""
    op.execute("drop table idempotency_keys")
