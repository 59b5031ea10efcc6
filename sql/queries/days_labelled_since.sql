-- Learned days with an alert that was labelled after they were learned, oldest first.
SELECT DISTINCT batch_days.day
FROM alert_labels AS labels
JOIN alert_windows AS windows USING (alert_id)
JOIN batch_days ON batch_days.day = windows.window_start::date
WHERE batch_days.status = 'fitted' AND labels.labelled_at > batch_days.fitted_at
ORDER BY batch_days.day
