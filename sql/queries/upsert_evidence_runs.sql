-- Notes of which posts the evidence of alerts was made; absolute values but for the number of runs. An alert that is gone has none.
INSERT INTO evidence_runs AS kept (alert_id, posts, final, post_ids)
SELECT alerts.alert_id, new.posts, alerts.status = 'resolved', new.post_ids
FROM (VALUES %s) AS new (alert_id, posts, post_ids)
JOIN anomaly_alerts AS alerts USING (alert_id)
ON CONFLICT (alert_id) DO UPDATE SET
    posts = excluded.posts,
    final = excluded.final,
    post_ids = excluded.post_ids,
    runs = kept.runs + 1,
    computed_at = now()
