-- What a customer had sent back as of each snapshot; who never ordered anything is left out.
SELECT
    e.entity_id,
    s.snapshot_time,
    CAST(COUNT(CASE WHEN e.InvoiceNo LIKE 'C%' THEN 1 END) AS DOUBLE) / COUNT(*) AS returned_share
FROM snapshots AS s
JOIN events AS e ON e.event_time < s.snapshot_time
GROUP BY e.entity_id, s.snapshot_time
HAVING COUNT(CASE WHEN e.InvoiceNo NOT LIKE 'C%' AND e.Quantity > 0 THEN 1 END) > 0
