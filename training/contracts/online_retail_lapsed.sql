-- The outcome: true where a customer orders nothing from the snapshot until the label's window closes.
-- `events` are those of the window and no others; `entities` are all who have features at the snapshot.
SELECT
    c.entity_id,
    c.snapshot_time,
    COUNT(e.InvoiceNo) = 0 AS lapsed
FROM entities AS c
LEFT JOIN events AS e
    ON e.entity_id = c.entity_id
    AND e.InvoiceNo NOT LIKE 'C%'
    AND e.Quantity > 0
GROUP BY c.entity_id, c.snapshot_time
