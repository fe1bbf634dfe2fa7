-- What a customer did in the 60 days before the snapshot; who has no bill in the last 28 of them is left out.
-- Everything summed is a whole number, so every run gives the same bits. What accounts record sorts before
-- 'session', what customers do from there on.
WITH recorded AS (
    SELECT
        e.entity_id,
        s.snapshot_time,
        COUNT(CASE WHEN e.kind = 'bill' AND e.event_time >= s.snapshot_time - INTERVAL '28' DAY THEN 1 END) AS bills,
        COUNT(
            CASE WHEN e.kind = 'late_payment' AND e.event_time >= s.snapshot_time - INTERVAL '30' DAY THEN 1 END
        ) AS late_payments,
        SUM(
            CASE
                WHEN e.kind = 'price_rise' AND e.event_time >= s.snapshot_time - INTERVAL '30' DAY THEN e.cents
                ELSE 0
            END
        ) AS rise_cents,
        SUM(
            CASE
                WHEN e.kind = 'price_rise' AND e.event_time < s.snapshot_time - INTERVAL '30' DAY THEN e.cents
                ELSE 0
            END
        ) AS rise_cents_before
    FROM snapshots AS s
    JOIN events AS e
        ON e.event_time < s.snapshot_time AND e.event_time >= s.snapshot_time - INTERVAL '60' DAY
    WHERE e.kind < 'session'
    GROUP BY e.entity_id, s.snapshot_time
),
recent AS (
    SELECT
        e.entity_id,
        s.snapshot_time,
        MAX(CASE WHEN e.kind = 'session' THEN e.event_time END) AS last_session_at,
        COUNT(CASE WHEN e.kind = 'session' THEN 1 END) AS sessions,
        COUNT(CASE WHEN e.kind = 'voice' THEN 1 END) AS calls,
        COUNT(CASE WHEN e.kind = 'ticket' THEN 1 END) AS tickets,
        SUM(e.megabytes) AS megabytes,
        AVG(e.quality) AS quality,
        AVG(e.score) AS score
    FROM snapshots AS s
    JOIN events AS e
        ON e.event_time < s.snapshot_time AND e.event_time >= s.snapshot_time - INTERVAL '30' DAY
    WHERE e.kind >= 'session'
    GROUP BY e.entity_id, s.snapshot_time
),
earlier AS (
    SELECT
        e.entity_id,
        s.snapshot_time,
        COUNT(CASE WHEN e.kind = 'session' THEN 1 END) AS sessions,
        COUNT(CASE WHEN e.kind = 'voice' THEN 1 END) AS calls
    FROM snapshots AS s
    JOIN events AS e
        ON e.event_time < s.snapshot_time - INTERVAL '30' DAY
        AND e.event_time >= s.snapshot_time - INTERVAL '60' DAY
    WHERE e.kind >= 'session'
    GROUP BY e.entity_id, s.snapshot_time
)
SELECT
    b.entity_id,
    b.snapshot_time,
    DATE_DIFF('millisecond', u.last_session_at, b.snapshot_time) / 86400000E0 AS days_since_session,
    COALESCE(u.sessions, 0) AS sessions_30d,
    COALESCE(v.sessions, 0) AS sessions_before,
    COALESCE(u.calls, 0) AS calls_30d,
    COALESCE(v.calls, 0) AS calls_before,
    COALESCE(u.tickets, 0) AS tickets_30d,
    COALESCE(u.megabytes, 0) AS megabytes_30d,
    u.quality AS quality_30d,
    u.score AS survey_score,
    b.late_payments AS late_payments_30d,
    b.rise_cents / 1E2 AS rise_30d,
    b.rise_cents_before / 1E2 AS rise_before
FROM recorded AS b
LEFT JOIN recent AS u ON u.entity_id = b.entity_id AND u.snapshot_time = b.snapshot_time
LEFT JOIN earlier AS v ON v.entity_id = b.entity_id AND v.snapshot_time = b.snapshot_time
WHERE b.bills > 0
