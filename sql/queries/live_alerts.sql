-- Confirmed alerts that opened from %(first)s and before %(before)s, with their label: what their closed windows before that sum up to.
SELECT alerts.alert_id, alerts.keyword, alerts.opened_window, max(windows.window_start), sum(windows.posts)::integer,
       max(windows.score)::float8, max(labels.label)
FROM anomaly_alerts AS alerts
JOIN alert_windows AS windows ON windows.alert_id = alerts.alert_id AND windows.closed AND windows.window_start < %(before)s
LEFT JOIN alert_labels AS labels ON labels.alert_id = alerts.alert_id
WHERE alerts.opened_window >= %(first)s AND alerts.opened_window < %(before)s
  AND alerts.status <> 'withdrawn' AND NOT alerts.provisional
GROUP BY alerts.alert_id
ORDER BY alerts.opened_window, alerts.keyword
