-- Alerts that opened from %(first)s to before %(before)s and were not withdrawn, each with its windows.
SELECT
    alerts.alert_id,
    alerts.keyword,
    array_agg(windows.window_start ORDER BY windows.window_start) AS windows,
    alerts.top_post_id
FROM anomaly_alerts AS alerts
JOIN alert_windows AS windows USING (alert_id)
WHERE alerts.status <> 'withdrawn' AND alerts.opened_window >= %(first)s AND alerts.opened_window < %(before)s
GROUP BY alerts.alert_id
ORDER BY alerts.opened_window, alerts.keyword
