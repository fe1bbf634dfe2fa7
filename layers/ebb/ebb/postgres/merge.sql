-- Value by value, the newer event time wins; an equal one wins too, so that writing twice changes nothing.
-- A row that brings every held value, none older than held, replaces the held one as it stands.
-- What is not after an erasure touches nothing; the first that is brings the subject a new salt.
with incoming as (
    {source}
), merged as (
    insert into features as held (entity_id, version, event_time, "values", written_at)
    select entity_id, 1, event_time, "values", clock_timestamp() from incoming
    order by entity_id -- the same order for all writers, so that none waits for the other
    on conflict (entity_id) do update set (version, written_at, salt, event_time, times, "values") = (
        select
            held.version + 1,
            -- Strictly later than the write before, also where the clock was set back.
            greatest(clock_timestamp(), held.written_at + interval '1 microsecond'),
            coalesce(held.salt, uuid_send(gen_random_uuid())),
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
    where held.erased_at is null or excluded.event_time > held.erased_at
    returning entity_id, version, event_time, times, "values", salt, erased_at, written_at
), remembered as (
    insert into history (entity_id, event_time, ingested_at, layout, "values")
    select entity_id, to_timestamp(incoming.event_time), written_at, layout, compact
    from incoming join merged using (entity_id)
    where incoming.event_time >= extract(epoch from now()) - cast(:keep as float8)
    -- The same write once more is no new one, unless another one came between. A subquery that is never made a join:
    -- it looks at one month only; and none but the months of this call are ever opened for it.
    and (version = 1 or (
        select before.layout is not distinct from incoming.layout and before."values" = incoming.compact
        from history as before
        where before.entity_id = incoming.entity_id and before.event_time = to_timestamp(incoming.event_time)
            and before.event_time between
                greatest(to_timestamp(cast(:oldest as float8)), now() - make_interval(secs => cast(:keep as float8)))
                and to_timestamp(cast(:newest as float8))
        order by before.ingested_at desc limit 1
    ) is not true)
){note}
select entity_id, version, event_time, case when version > 1 then times::text end,
    case when version > 1 then "values"::text end, encode(salt, 'hex'), erased_at{noted}
