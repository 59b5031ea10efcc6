-- Labelled alerts with their windows in %(day)s, numbered from 0, and their threshold ratio; the newest label of a
-- keyword wins.
SELECT DISTINCT ON (alerts.keyword)
    alerts.keyword,
    labels.label,
    array_agg(
        (extract(epoch FROM windows.window_start - %(day)s::date::timestamptz) / 900)::integer
        ORDER BY windows.window_start
    ) AS window_numbers,
    alerts.threshold_ratio
FROM alert_labels AS labels
JOIN anomaly_alerts AS alerts USING (alert_id)
JOIN alert_windows AS windows USING (alert_id)
WHERE windows.window_start >= %(day)s::date::timestamptz
  AND windows.window_start < %(day)s::date::timestamptz + interval '1 day'
  AND alerts.status <> 'withdrawn'
GROUP BY alerts.keyword, labels.label, alerts.threshold_ratio, labels.labelled_at, alerts.alert_id
ORDER BY alerts.keyword, labels.labelled_at DESC, alerts.alert_id
