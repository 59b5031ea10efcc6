-- The newest batch of a query in detection's ledger, and the newest that counted a post; -1: none.
SELECT coalesce(max(batch_id), -1), coalesce(max(batch_id) FILTER (WHERE max_event_time IS NOT NULL), -1)
FROM detect_batches
WHERE query_id = %(query_id)s
