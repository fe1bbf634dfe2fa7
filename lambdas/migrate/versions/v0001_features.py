"""The current values: one row an entity."""

from alembic import op

revision = "0001"
down_revision = None

# `event_time` (epoch seconds) holds for every value but those named in `times`.
# Databases from before there were migrations have the table already.
_FEATURES = """
create table if not exists features (
    entity_id  text primary key,
    version    bigint not null,
    event_time double precision not null,
    times      jsonb not null default '{}',
    "values"   jsonb not null,
    written_at timestamptz not null default now()
)
"""


def upgrade() -> None:
    """Create the table where it is absent."""
    op.execute(_FEATURES)


def downgrade() -> None:
    """Drop it."""
    op.execute("drop table features")
