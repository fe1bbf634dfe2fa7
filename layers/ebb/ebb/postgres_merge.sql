-- Value by value, the newer event time wins; an equal one wins too, so that writing twice changes nothing.
insert into features as held (entity_id, version, event_time, "values")
select entity_id, 1, event_time, "values" from incoming
on conflict (entity_id) do update set
    version = held.version + 1,
    written_at = now(),
    times = held.times || coalesce((
        select jsonb_object_agg(name, excluded.event_time) from jsonb_object_keys(excluded."values") as name
        where excluded.event_time >= coalesce(
            (held.times ->> name)::float8, case when held."values" ? name then held.event_time end, '-infinity')
    ), '{}'),
    "values" = held."values" || coalesce((
        select jsonb_object_agg(name, value) from jsonb_each(excluded."values") as new(name, value)
        where excluded.event_time >= coalesce(
            (held.times ->> name)::float8, case when held."values" ? name then held.event_time end, '-infinity')
    ), '{}')
returning entity_id, version, event_time, times::text, "values"::text
