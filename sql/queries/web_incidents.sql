-- Incidents with their words in pages by (opened_window, incident_id), newest first.
SELECT incidents.incident_id, incidents.keyword, incidents.status, incidents.opened_window, incidents.last_window,
       incidents.posts, incidents.members, incidents.updated_at,
       (SELECT array_agg(alerts.keyword ORDER BY alerts.posts DESC, alerts.keyword)
        FROM incident_members AS members JOIN anomaly_alerts AS alerts USING (alert_id)
        WHERE members.incident_id = incidents.incident_id) AS keywords
FROM incidents
WHERE (%(incident_id)s::uuid IS NULL OR incidents.incident_id = %(incident_id)s::uuid)
  AND (%(status)s::text IS NULL OR incidents.status = %(status)s)
  AND (%(updated_after)s::timestamptz IS NULL OR incidents.updated_at > %(updated_after)s)
  AND (%(before_window)s::timestamptz IS NULL
       OR (incidents.opened_window, incidents.incident_id) < (%(before_window)s, %(before_id)s::uuid))
ORDER BY incidents.opened_window DESC, incidents.incident_id DESC
LIMIT %(most)s
