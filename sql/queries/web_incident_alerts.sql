-- The alerts of an incident, those with the most posts first.
SELECT alerts.alert_id, alerts.keyword, alerts.status, alerts.provisional, alerts.severity, alerts.posts, alerts.expected,
       alerts.opened_window, alerts.last_window, alerts.origin, recent.distinct_authors, recent.authors_counted,
       members.overlap
FROM incident_members AS members
JOIN anomaly_alerts AS alerts ON alerts.alert_id = members.alert_id
JOIN recent_alerts AS recent ON recent.alert_id = alerts.alert_id
WHERE members.incident_id = %(incident_id)s::uuid
ORDER BY alerts.posts DESC, alerts.keyword
