-- How far the archive query is: its partitions, those with unread records at its last report, the lag in records,
-- and when the oldest partition was reported.
SELECT count(*) AS partitions,
       count(*) FILTER (WHERE next_offset < end_offset) AS partitions_behind,
       coalesce(sum(greatest(end_offset - next_offset, 0)), 0)::bigint AS lag_records,
       min(observed_at) AS observed_at
FROM pipeline_progress
WHERE query = 'archive' AND topic = %(topic)s
