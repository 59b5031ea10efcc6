-- Alerts of a keyword, newest first.
SELECT alerts.alert_id, alerts.keyword, alerts.status, alerts.provisional, alerts.severity, alerts.posts, alerts.expected,
       alerts.opened_window, alerts.last_window, alerts.origin, recent.distinct_authors, recent.authors_counted,
       NULL::real AS overlap
FROM anomaly_alerts AS alerts
JOIN recent_alerts AS recent ON recent.alert_id = alerts.alert_id
WHERE alerts.keyword = %(keyword)s
ORDER BY alerts.opened_window DESC
LIMIT %(most)s
