-- Takes back early alerts whose first window closed without confirming them: those not among the confirmed %(alert_ids)s.
UPDATE anomaly_alerts
SET status = 'withdrawn',
    provisional = false,
    resolved_at = opened_window + interval '15 minutes',
    updated_at = now()
WHERE provisional
  AND status = 'open'
  AND opened_window < %(closed_until)s
  AND NOT alert_id = ANY (%(alert_ids)s::uuid[])
