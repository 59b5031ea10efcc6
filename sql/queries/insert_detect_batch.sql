-- Enter a batch in detection's ledger.
INSERT INTO detect_batches (query_id, batch_id, max_event_time)
VALUES (%(query_id)s, %(batch_id)s, %(last_post_at)s)
