-- Enter a batch in detection's ledger; no row is inserted if it is there already.
INSERT INTO detect_batches (query_id, batch_id, max_event_time)
VALUES (%(query_id)s, %(batch_id)s, %(last_post_at)s)
ON CONFLICT DO NOTHING
