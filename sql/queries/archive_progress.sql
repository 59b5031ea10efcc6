-- How far the archive is: the partitions, those with records that it had not read when it was last looked at, and that time.
SELECT count(*) AS partitions,
       count(*) FILTER (WHERE next_offset < end_offset) AS behind,
       coalesce(sum(greatest(end_offset - next_offset, 0)), 0)::bigint AS lag_records,
       min(observed_at) AS observed_at
FROM pipeline_progress
WHERE query = 'archive' AND topic = %(topic)s
