-- Record in the ledger that the step statistics is done for a day: fitted, or empty if it had no posts.
INSERT INTO batch_days (day, status, fitted_at, counted_posts, keywords)
VALUES (%(day)s, %(status)s, now(), %(posts)s, %(keywords)s)
ON CONFLICT (day) DO UPDATE SET
    status = excluded.status,
    fitted_at = excluded.fitted_at,
    counted_posts = excluded.counted_posts,
    keywords = excluded.keywords
