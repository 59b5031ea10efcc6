-- The unusual windows of some alerts, in order.
SELECT *
FROM alert_windows
WHERE alert_id = ANY(%(alert_ids)s::uuid[])
ORDER BY alert_id, window_start
