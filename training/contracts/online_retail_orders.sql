-- What a customer had ordered as of each snapshot: one row a customer who ordered anything before it.
-- A line is ordered when its invoice is no cancellation (C...) and its quantity is positive.
-- Money is summed in decimals: exact, so every run gives the same bits.
WITH lines AS (
    SELECT
        e.entity_id,
        s.snapshot_time,
        e.event_time,
        e.InvoiceNo AS invoice,
        e.StockCode AS product,
        e.Country AS country,
        CAST(e.Quantity * e.UnitPrice AS DECIMAL(18, 4)) AS price
    FROM snapshots AS s
    JOIN events AS e ON e.event_time < s.snapshot_time
    WHERE e.InvoiceNo NOT LIKE 'C%' AND e.Quantity > 0
),
orders AS (
    SELECT
        entity_id,
        snapshot_time,
        invoice,
        MIN(event_time) AS ordered_at,
        MAX(country) AS country,
        LAG(MIN(event_time)) OVER (
            PARTITION BY entity_id, snapshot_time ORDER BY MIN(event_time), invoice
        ) AS previous_at,
        ROW_NUMBER() OVER (
            PARTITION BY entity_id, snapshot_time ORDER BY MIN(event_time) DESC, invoice DESC
        ) AS newest
    FROM lines
    GROUP BY entity_id, snapshot_time, invoice
),
gaps AS (
    SELECT
        entity_id,
        snapshot_time,
        DATE_DIFF('millisecond', previous_at, ordered_at) / 86400000E0 AS days,
        ROW_NUMBER() OVER (
            PARTITION BY entity_id, snapshot_time ORDER BY DATE_DIFF('millisecond', previous_at, ordered_at)
        ) AS place,
        COUNT(*) OVER (PARTITION BY entity_id, snapshot_time) AS places
    FROM orders
    WHERE previous_at IS NOT NULL
),
medians AS (
    SELECT entity_id, snapshot_time, AVG(days) AS gap_days
    FROM gaps
    WHERE place * 2 BETWEEN places AND places + 2
    GROUP BY entity_id, snapshot_time
),
ordered AS (
    SELECT
        entity_id,
        snapshot_time,
        COUNT(*) AS orders,
        MIN(ordered_at) AS first_at,
        MAX(ordered_at) AS last_at,
        MAX(CASE WHEN newest = 1 THEN country END) AS country
    FROM orders
    GROUP BY entity_id, snapshot_time
),
bought AS (
    SELECT
        entity_id,
        snapshot_time,
        COUNT(DISTINCT product) AS products,
        COUNT(DISTINCT CASE WHEN event_time >= snapshot_time - INTERVAL '90' DAY THEN invoice END) AS orders_90d,
        CAST(SUM(price) AS DOUBLE) AS spend,
        CAST(SUM(CASE WHEN event_time >= snapshot_time - INTERVAL '90' DAY THEN price ELSE 0 END) AS DOUBLE) AS spend_90d
    FROM lines
    GROUP BY entity_id, snapshot_time
)
SELECT
    o.entity_id,
    o.snapshot_time,
    DATE_DIFF('millisecond', o.last_at, o.snapshot_time) / 86400000E0 AS recency_days,
    DATE_DIFF('millisecond', o.first_at, o.snapshot_time) / 86400000E0 AS tenure_days,
    o.orders,
    b.orders_90d,
    b.spend,
    b.spend_90d,
    b.spend / o.orders AS mean_basket,
    b.products,
    m.gap_days,
    o.country
FROM ordered AS o
JOIN bought AS b ON b.entity_id = o.entity_id AND b.snapshot_time = o.snapshot_time
LEFT JOIN medians AS m ON m.entity_id = o.entity_id AND m.snapshot_time = o.snapshot_time
