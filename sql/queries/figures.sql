-- Every figure of the pipeline: its name, its labels in the order of sql/figures.py, its value. Moments are Unix seconds.
WITH topics AS (
    SELECT topic, sum(end_offset) AS records
    FROM (SELECT topic, partition, max(end_offset) AS end_offset FROM pipeline_progress GROUP BY topic, partition) AS ends
    GROUP BY topic
), totals AS (
    SELECT query, sum(batches) AS batches, sum(input_records) AS input_records, sum(duration_ms) AS duration_ms,
           sum(late_posts) AS late_posts, sum(duplicate_posts) AS duplicate_posts
    FROM (
        SELECT query, batches, input_records, duration_ms, late_posts, duplicate_posts FROM pipeline_totals
        UNION ALL
        SELECT query, 1, input_records, duration_ms, late_posts, duplicate_posts FROM pipeline_metrics
    ) AS batches
    GROUP BY query
), newest AS (
    SELECT DISTINCT ON (query) query, duration_ms, state_rows, state_bytes
    FROM pipeline_metrics
    ORDER BY query, observed_at DESC
), sizes AS (
    SELECT coalesce(pg_partition_root(oid), oid)::regclass::text AS name, sum(pg_total_relation_size(oid)) AS bytes,
           sum(greatest(reltuples, 0)) AS rows
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname !~ '^_?yoyo'
    GROUP BY 1
)
SELECT 'kafka_records', ARRAY[topic], records::float8 FROM topics
UNION ALL
SELECT 'archived_records', ARRAY[topic, 'kafka'], sum(next_offset) FROM pipeline_progress WHERE query = 'archive' GROUP BY topic
UNION ALL
SELECT 'archived_records', ARRAY[topic, 'import'], CASE topic WHEN %(posts_topic)s THEN posts ELSE rejected END
FROM (SELECT sum(posts) AS posts, sum(rejected) AS rejected FROM archive_imports HAVING count(*) > 0) AS imported,
     unnest(ARRAY[%(posts_topic)s, %(rejected_topic)s]) AS topic
UNION ALL
SELECT 'counted_posts', '{}', coalesce(sum(posts), 0) FROM traffic_windows
UNION ALL
SELECT 'rejected_records', ARRAY[topic], count(*) FROM rejected_records GROUP BY topic
UNION ALL
SELECT 'late_posts', '{}', coalesce(sum(late_posts), 0) FROM totals
UNION ALL
SELECT 'duplicate_posts', '{}', coalesce(sum(duplicate_posts), 0) FROM totals
UNION ALL
SELECT 'lag_records', ARRAY[query], sum(greatest(end_offset - next_offset, 0)) FROM pipeline_progress GROUP BY query
UNION ALL
SELECT 'observed_timestamp_seconds', ARRAY[query], extract(epoch FROM min(observed_at)) FROM pipeline_progress GROUP BY query
UNION ALL
SELECT 'batches', ARRAY[query], batches FROM totals
UNION ALL
SELECT 'input_records', ARRAY[query], input_records FROM totals
UNION ALL
SELECT 'busy_seconds', ARRAY[query], duration_ms / 1000.0 FROM totals
UNION ALL
SELECT 'last_batch_seconds', ARRAY[query], duration_ms / 1000.0 FROM newest
UNION ALL
SELECT 'state_rows', ARRAY[query], state_rows FROM newest
UNION ALL
SELECT 'state_bytes', ARRAY[query], state_bytes FROM newest
UNION ALL
SELECT 'newest_event_timestamp_seconds', '{}', extract(epoch FROM max_event_time) FROM detect_clock
UNION ALL
SELECT 'closed_until_timestamp_seconds', '{}', extract(epoch FROM closed_until) FROM detect_clock
UNION ALL
SELECT 'learned_minutes', ARRAY[judged_by], learned_minutes FROM detection_baseline
UNION ALL
SELECT 'last_complete_day_timestamp_seconds', '{}', extract(epoch FROM max(day))
FROM batch_days
WHERE loaded_at IS NOT NULL AND status IS NOT NULL
HAVING count(*) > 0
UNION ALL
SELECT 'alerts', ARRAY[status], count(alert_id)
FROM unnest(ARRAY['open', 'resolved', 'withdrawn']) AS status LEFT JOIN anomaly_alerts USING (status)
GROUP BY status
UNION ALL
SELECT 'table_bytes', ARRAY[name], bytes FROM sizes
UNION ALL
SELECT 'table_rows', ARRAY[name], rows FROM sizes
ORDER BY 1, 2
