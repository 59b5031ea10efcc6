-- Alerts that have no evidence yet, have twice as many posts as their evidence was made from, or have ended since;
-- newest first, each with its windows. If the archive held fewer than half of the posts, at most five times: the
-- missing ones may never arrive.
SELECT
    alerts.alert_id,
    alerts.keyword,
    array_agg(windows.window_start ORDER BY windows.window_start) AS windows,
    alerts.top_post_id
FROM anomaly_alerts AS alerts
JOIN alert_windows AS windows USING (alert_id)
LEFT JOIN evidence_runs AS runs USING (alert_id)
WHERE alerts.status <> 'withdrawn'
  AND (
      runs.alert_id IS NULL
      OR (alerts.posts >= 2 * runs.posts AND (runs.runs < 5 OR runs.computed_at < alerts.updated_at))
      OR (alerts.status = 'resolved' AND NOT runs.final)
  )
GROUP BY alerts.alert_id
ORDER BY alerts.created_at DESC, alerts.alert_id
LIMIT %(at_most)s
