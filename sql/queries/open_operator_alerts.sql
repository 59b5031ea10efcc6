-- Alerts for the operator that are open, with the seconds since they were last seen; nobody else decides on them meanwhile.
SELECT kind, subject, extract(epoch FROM now() - last_seen_at)::float8
FROM operator_alerts
WHERE resolved_at IS NULL
FOR UPDATE
