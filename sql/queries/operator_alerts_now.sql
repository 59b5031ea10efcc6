-- What the operator has to know now: alerts that are open, and queries at which nobody has looked for so many seconds.
SELECT kind, subject, opened_at, message
FROM operator_alerts
WHERE resolved_at IS NULL
UNION ALL
SELECT 'stream silent', query, min(observed_at) + %(stalled_seconds)s * interval '1 second',
       'Nothing has been heard of ' || query || ' for ' || round(extract(epoch FROM now() - min(observed_at)))
       || ' s: start python -m streaming, or read in its log which server is away.'
FROM pipeline_progress
GROUP BY query
HAVING min(observed_at) < now() - %(stalled_seconds)s * interval '1 second'
ORDER BY 3
