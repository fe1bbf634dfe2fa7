-- One row an entity. `event_time` (epoch seconds) holds for every value but those named in `times`.
create table if not exists features (
    entity_id  text primary key,
    version    bigint not null,
    event_time double precision not null,
    times      jsonb not null default '{}',
    "values"   jsonb not null,
    written_at timestamptz not null default now()
);
