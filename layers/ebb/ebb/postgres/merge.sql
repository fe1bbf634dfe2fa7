-- Value by value, the newer event time wins; an equal one wins too, so that writing twice changes nothing.
-- A row that brings every held value, none older than held, replaces the held one as it stands.
insert into features as held (entity_id, version, event_time, "values")
select entity_id, 1, event_time, "values" from incoming
order by entity_id -- the same order for all writers, so that none waits for the other
on conflict (entity_id) do update set (version, written_at, event_time, times, "values") = (
    select
        held.version + 1,
        now(),
        case when whole then excluded.event_time else held.event_time end,
        case when whole then '{}' else held.times || coalesce((
            select jsonb_object_agg(name, excluded.event_time) from jsonb_object_keys(excluded."values") as name
            where excluded.event_time >= coalesce(
                (held.times ->> name)::float8, case when held."values" ? name then held.event_time end, '-infinity')
        ), '{}') end,
        case when whole then excluded."values" else held."values" || coalesce((
            select jsonb_object_agg(name, value) from jsonb_each(excluded."values") as new(name, value)
            where excluded.event_time >= coalesce(
                (held.times ->> name)::float8, case when held."values" ? name then held.event_time end, '-infinity')
        ), '{}') end
    from (
        select held.times = '{}' and excluded.event_time >= held.event_time
            and held."values" - array(select jsonb_object_keys(excluded."values")) = '{}' as whole
    ) as incoming_row
)
returning entity_id, version, event_time, times::text, "values"::text
