-- Brings status and span of incidents to what their members say now, where one of these was written later.
UPDATE incidents
SET status = now.status, opened_window = now.opened_window, last_window = now.last_window, updated_at = now()
FROM (
    SELECT incidents.incident_id, CASE WHEN bool_or(alerts.status = 'open') THEN 'open' ELSE 'resolved' END AS status,
           min(alerts.opened_window) AS opened_window, max(alerts.last_window) AS last_window
    FROM incidents
    JOIN incident_members USING (incident_id)
    JOIN anomaly_alerts AS alerts USING (alert_id)
    GROUP BY incidents.incident_id
    HAVING max(alerts.updated_at) >= incidents.updated_at OR incidents.status = 'open'
) AS now
WHERE incidents.incident_id = now.incident_id
  AND (incidents.status, incidents.opened_window, incidents.last_window) IS DISTINCT FROM (now.status, now.opened_window, now.last_window)
