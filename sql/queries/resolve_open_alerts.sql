-- Resolve every open alert as if its %(quiet_windows)s quiet windows had passed: at the end of the last of them.
UPDATE anomaly_alerts
SET status = 'resolved',
    resolved_at = last_window + (1 + %(quiet_windows)s) * interval '15 minutes',
    updated_at = now()
WHERE status = 'open'
