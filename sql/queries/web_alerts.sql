-- Alerts in pages by (opened_window, alert_id), newest first.
SELECT alerts.alert_id, alerts.keyword, alerts.status, alerts.provisional, alerts.severity, alerts.origin, alerts.opened_by,
       alerts.judged_by, alerts.degraded, alerts.posts, alerts.expected, recent.distinct_authors, recent.distinct_texts,
       recent.authors_counted, alerts.peak_score, alerts.threshold_ratio, alerts.first_post_at, alerts.opened_window,
       alerts.last_window, alerts.resolved_at, alerts.updated_at, alerts.statistics_as_of, alerts.rule_version,
       alerts.top_post_id::text AS top_post_id, recent.top_post, members.incident_id, labels.label,
       EXISTS (SELECT FROM watchlist WHERE watchlist.keyword = alerts.keyword) AS watched
FROM anomaly_alerts AS alerts
JOIN recent_alerts AS recent ON recent.alert_id = alerts.alert_id
LEFT JOIN incident_members AS members ON members.alert_id = alerts.alert_id
LEFT JOIN alert_labels AS labels ON labels.alert_id = alerts.alert_id
WHERE (%(alert_id)s::uuid IS NULL OR alerts.alert_id = %(alert_id)s::uuid)
  AND (%(status)s::text IS NULL OR alerts.status = %(status)s)
  AND (%(severity)s::text IS NULL OR alerts.severity = %(severity)s)
  AND (%(origin)s::text IS NULL OR coalesce(alerts.origin, 'unknown') = %(origin)s)
  AND (%(keyword)s::text IS NULL OR alerts.keyword = %(keyword)s)
  AND (%(incident_id)s::uuid IS NULL OR members.incident_id = %(incident_id)s::uuid)
  AND (%(watched)s::boolean IS NULL
       OR %(watched)s = EXISTS (SELECT FROM watchlist WHERE watchlist.keyword = alerts.keyword))
  AND (%(opened_from)s::timestamptz IS NULL OR alerts.opened_window >= %(opened_from)s)
  AND (%(opened_to)s::timestamptz IS NULL OR alerts.opened_window < %(opened_to)s)
  AND (%(updated_after)s::timestamptz IS NULL OR alerts.updated_at > %(updated_after)s)
  AND (%(before_window)s::timestamptz IS NULL
       OR (alerts.opened_window, alerts.alert_id) < (%(before_window)s, %(before_id)s::uuid))
ORDER BY alerts.opened_window DESC, alerts.alert_id DESC
LIMIT %(most)s
