-- What the last bill before the snapshot says of an account: one row a customer who still is one.
-- Bills are written on the last evening of a month, and snapshots are a month's start: 28 days hold one bill each.
SELECT
    e.entity_id,
    s.snapshot_time,
    e.contract_term,
    e.payment_method,
    e.internet_service,
    e.plan,
    e.city,
    e.population_group,
    e.tenure_months,
    e.age,
    e.household_size,
    e.credit_score,
    e.autopay,
    e.family_plan,
    e.cents / 1E2 AS monthly_charge
FROM snapshots AS s
JOIN events AS e
    ON e.event_time < s.snapshot_time AND e.event_time >= s.snapshot_time - INTERVAL '28' DAY
WHERE e.kind = 'bill'
