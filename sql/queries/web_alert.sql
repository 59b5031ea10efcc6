-- One alert with its people, incident, label and whether its keyword is watched.
SELECT alerts.*, recent.distinct_authors AS authors, recent.distinct_texts AS texts, recent.authors_counted,
       recent.top_post, members.incident_id, labels.label, labels.note,
       EXISTS (SELECT FROM watchlist WHERE watchlist.keyword = alerts.keyword) AS watched
FROM anomaly_alerts AS alerts
JOIN recent_alerts AS recent ON recent.alert_id = alerts.alert_id
LEFT JOIN incident_members AS members ON members.alert_id = alerts.alert_id
LEFT JOIN alert_labels AS labels ON labels.alert_id = alerts.alert_id
WHERE alerts.alert_id = %(alert_id)s::uuid
