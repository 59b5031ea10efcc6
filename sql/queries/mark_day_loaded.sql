-- Record in the ledger that the step load is done for a day.
INSERT INTO batch_days (day, loaded_at, loaded_posts)
VALUES (%(day)s, now(), %(posts)s)
ON CONFLICT (day) DO UPDATE SET loaded_at = excluded.loaded_at, loaded_posts = excluded.loaded_posts
