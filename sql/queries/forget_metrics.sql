-- Delete a query's metrics that are older than so many days, and add what they came to to its totals.
WITH gone AS (
    DELETE FROM pipeline_metrics
    WHERE query = %(query)s AND observed_at < now() - %(days)s * interval '1 day'
    RETURNING *
)
INSERT INTO pipeline_totals AS kept (query, batches, input_records, duration_ms, late_posts, duplicate_posts)
SELECT query, count(*), sum(input_records), sum(duration_ms), sum(late_posts), sum(duplicate_posts)
FROM gone
GROUP BY query
ON CONFLICT (query) DO UPDATE SET
    batches = kept.batches + excluded.batches,
    input_records = kept.input_records + excluded.input_records,
    duration_ms = kept.duration_ms + excluded.duration_ms,
    late_posts = kept.late_posts + excluded.late_posts,
    duplicate_posts = kept.duplicate_posts + excluded.duplicate_posts
