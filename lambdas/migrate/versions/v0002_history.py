"""History by month, subjects that can be erased, notes for repairs, checkpoints of loads."""

from alembic import op

revision = "0002"
down_revision = "0001"

# A salt for every subject that is held already: a volatile default is drawn for each row.
_SUBJECTS = """
alter table features
    add column salt bytea default uuid_send(gen_random_uuid()), -- null in a tombstone
    add column erased_at double precision                       -- epoch seconds; stays as a floor for good
"""
# The fast tier holds these records without their salts: a higher version and a note bring them there.
_NEW_VERSIONS = "update features set version = version + 1"
_NOTES = """
insert into repairs (entity_ids) select array_agg(entity_id)
from (select entity_id, (row_number() over (order by entity_id) - 1) / 1000 as run from features) as numbered
group by run order by run
"""
# Unique by their hash: the names of some hundred features are longer than what an ordered index holds.
_LAYOUTS = """
create table layouts (
    id    smallint generated always as identity primary key,
    names text[] not null,
    exclude using hash (names with =)
)
"""
# "values" is what the write brought: a JSON object, or the JSON array of the values that a layout names.
# They are never asked by their content: text is smaller than jsonb, and stays as it was sent.
_HISTORY = """
create table history (
    entity_id   text not null,
    event_time  timestamptz not null,
    ingested_at timestamptz not null default clock_timestamp(),
    layout      smallint,
    "values"    text not null,
    primary key (entity_id, event_time, ingested_at)
) partition by range (event_time)
"""
_REPAIRS = """
create table repairs (
    id         bigint generated always as identity primary key,
    entity_ids text[] not null,
    at         timestamptz not null default now()
)
"""
_LOADS = """
create table loads (
    id           text primary key,
    source       text not null,
    contract     text not null,
    rows_done    bigint not null default 0,
    rows_refused bigint not null default 0,
    started_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    finished_at  timestamptz
)
"""
_ACCESSES = """
create table subject_accesses (
    entity_id      text not null,
    at             timestamptz not null,
    client         text not null,
    action         text not null,
    correlation_id text not null
)
"""
_ACCESSES_OF = "create index subject_accesses_of on subject_accesses (entity_id, at)"
# What left the history but was not yet dropped goes too. Tombstones stay as rows without values: their versions
# are what keeps the fast tier from holding an older record.
_DETACHED = """
do $$ declare month text; begin
    for month in select relname from pg_class where relkind = 'r'
        and relnamespace = current_schema()::regnamespace and relname ~ '^history_[0-9]{4}_[0-9]{2}$'
    loop execute format('drop table %I', month); end loop;
end $$
"""
_TOLD = (_NEW_VERSIONS, _NOTES)


def upgrade() -> None:
    """Create what is new; the current values stay."""
    for statement in (_SUBJECTS, _LAYOUTS, _HISTORY, _REPAIRS, _LOADS, _ACCESSES, _ACCESSES_OF, *_TOLD):
        op.execute(statement)


def downgrade() -> None:
    """Drop what 0001 does not know; the current values stay."""
    for table in ("subject_accesses", "loads", "repairs", "history", "layouts"):
        op.execute(f"drop table {table}")
    op.execute(_DETACHED)
    op.execute("alter table features drop column salt, drop column erased_at")
