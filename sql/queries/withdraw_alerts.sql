-- Withdraw provisional alerts whose first window is closed by %(closed_until)s without confirming them: all but %(alert_ids)s.
UPDATE anomaly_alerts
SET status = 'withdrawn',
    provisional = false,
    resolved_at = opened_window + interval '15 minutes',
    updated_at = now()
WHERE provisional
  AND status = 'open'
  AND opened_window < %(closed_until)s
  AND NOT alert_id = ANY (%(alert_ids)s::uuid[])
