-- Update status and span of incidents from their members where a member was written later than the incident.
UPDATE incidents
SET
    status = current.status,
    opened_window = current.opened_window,
    last_window = current.last_window,
    updated_at = now()
FROM (
    SELECT
        incidents.incident_id,
        CASE WHEN bool_or(alerts.status = 'open') THEN 'open' ELSE 'resolved' END AS status,
        min(alerts.opened_window) AS opened_window,
        max(alerts.last_window) AS last_window
    FROM incidents
    JOIN incident_members USING (incident_id)
    JOIN anomaly_alerts AS alerts USING (alert_id)
    GROUP BY incidents.incident_id
    HAVING max(alerts.updated_at) >= incidents.updated_at OR incidents.status = 'open'
) AS current
WHERE incidents.incident_id = current.incident_id
  AND (incidents.status, incidents.opened_window, incidents.last_window)
      IS DISTINCT FROM (current.status, current.opened_window, current.last_window)
