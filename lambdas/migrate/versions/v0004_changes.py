"""The change feed: which entities changed, for a second region that follows by reading a replica."""

from alembic import op

revision = "0004"
down_revision = "0003"

# `xid` is the writing transaction: a reader knows from its own snapshot below which one nothing more can appear.
_CHANGES = """
create table changes (
    xid        bigint not null default pg_current_xact_id()::text::bigint,
    id         bigint generated always as identity,
    at         timestamptz not null default now(),
    entities   int not null,
    entity_ids text[] not null, -- none in a sign of life
    primary key (xid, id)
)
"""
# By age: a few bytes for some hundred pages, and nothing for an insert.
_BY_AGE = "create index changes_by_age on changes using brin (at)"
# One row. `generation` names an unbroken recording, and is null while nothing is recorded.
_FEED = """
create table change_feed (
    only_row   boolean primary key default true check (only_row),
    generation uuid,
    pruned     bigint not null default 0 -- changes of transactions below are gone
)
"""
_ONE_ROW = "insert into change_feed default values"
# Whatever leaves a note changes records: no write can forget to record itself.
_FUNCTION = """
create function record_change() returns trigger language plpgsql as $$ begin
    insert into changes (entities, entity_ids) values (cardinality(new.entity_ids), new.entity_ids);
    return null;
end $$
"""
_TRIGGER = "create trigger changed after insert on repairs for each row execute function record_change()"
# Where no region follows, a write pays nothing.
_OFF = "alter table repairs disable trigger changed"


def upgrade() -> None:
    """Create the feed; nothing is recorded until the maintenance of a stage that is followed says so."""
    for statement in (_CHANGES, _BY_AGE, _FEED, _ONE_ROW, _FUNCTION, _TRIGGER, _OFF):
        op.execute(statement)


def downgrade() -> None:
    """Drop it; a region that follows finds no feed, and says so."""
    op.execute("drop trigger changed on repairs")
    op.execute("drop function record_change()")
    op.execute("drop table change_feed, changes")
