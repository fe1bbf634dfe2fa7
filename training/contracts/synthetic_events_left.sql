-- The outcome: true where a customer leaves within the label's window.
-- `events` are those of the window and no others; `entities` are all who have features at the snapshot.
WITH gone AS (
    SELECT entity_id, COUNT(*) AS times
    FROM events
    WHERE kind = 'left'
    GROUP BY entity_id
)
SELECT c.entity_id, c.snapshot_time, g.times IS NOT NULL AS has_left
FROM entities AS c
LEFT JOIN gone AS g ON g.entity_id = c.entity_id
