-- Alerts to regroup into incidents after the alerts %(alert_ids)s changed: those alerts, all alerts that overlap with
-- them in time, and all members of the incidents that any of these belong to.
WITH changed AS (
    SELECT alert_id, opened_window, last_window
    FROM anomaly_alerts
    WHERE alert_id = ANY (%(alert_ids)s::uuid[])
), touched AS (
    SELECT alerts.alert_id
    FROM anomaly_alerts AS alerts
    JOIN evidence_runs USING (alert_id)
    WHERE EXISTS (
        SELECT
        FROM changed
        WHERE alerts.opened_window <= changed.last_window AND alerts.last_window >= changed.opened_window
    )
), together AS (
    SELECT alert_id FROM touched
    UNION
    SELECT others.alert_id
    FROM incident_members AS mine
    JOIN incident_members AS others USING (incident_id)
    WHERE mine.alert_id IN (SELECT alert_id FROM touched)
)
SELECT
    alerts.alert_id,
    alerts.keyword,
    alerts.opened_window,
    alerts.last_window,
    alerts.threshold_ratio,
    alerts.posts,
    alerts.expected,
    (
        SELECT sum(windows.total_posts)
        FROM alert_windows AS windows
        WHERE windows.alert_id = alerts.alert_id
    ) AS traffic,
    runs.post_ids,
    alerts.status
FROM together
JOIN anomaly_alerts AS alerts USING (alert_id)
JOIN evidence_runs AS runs USING (alert_id)
