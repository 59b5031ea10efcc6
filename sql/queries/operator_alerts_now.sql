-- What the operator has to know now: open alerts, and queries without progress for %(stalled_seconds)s seconds.
SELECT kind, subject, opened_at, message
FROM operator_alerts
WHERE resolved_at IS NULL
UNION ALL
SELECT 'stream stalled', query, min(observed_at) + %(stalled_seconds)s * interval '1 second',
       'No progress of ' || query || ' for ' || round(extract(epoch FROM now() - min(observed_at)))
       || ' s: start groundswell stream, or read in its log which server is down.'
FROM pipeline_progress
GROUP BY query
HAVING min(observed_at) < now() - %(stalled_seconds)s * interval '1 second'
ORDER BY 3
