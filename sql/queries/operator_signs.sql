-- What the stream looks at for the operator: records of the last hour that were rejected and that were archived, the first day
-- that is not complete, and the days from its beginning to the newest event that detection has seen; null before there is one.
SELECT
    (SELECT count(*) FROM rejected_records WHERE kafka_time > now() - interval '1 hour'),
    (SELECT coalesce(sum(input_records), 0)::bigint
     FROM pipeline_metrics
     WHERE query = 'archive' AND observed_at > now() - interval '1 hour'),
    next_day,
    greatest(extract(epoch FROM clock.max_event_time - next_day::timestamp AT TIME ZONE 'UTC') / 86400, 0)::float8
FROM (
    SELECT coalesce(
        (SELECT max(day) + 1 FROM batch_days WHERE loaded_at IS NOT NULL AND status IS NOT NULL),
        (SELECT (min(window_start) AT TIME ZONE 'UTC')::date FROM traffic_windows)
    ) AS next_day
) AS days
LEFT JOIN detect_clock AS clock ON true
