-- Where detection is, and how much is open, suppressed and amiss in the last day of its clock; one row.
SELECT clock.max_event_time, clock.closed_until, clock.seen_at,
       (SELECT judged_by FROM detection_baseline) AS judged_by,
       (SELECT learned_minutes FROM detection_baseline) AS learned_minutes,
       (SELECT coalesce(sum(greatest(end_offset - next_offset, 0)), 0) FROM pipeline_progress WHERE query = 'detect') AS lag,
       (SELECT count(*) FROM anomaly_alerts WHERE status = 'open') AS open_alerts,
       (SELECT count(*) FROM anomaly_alerts
        WHERE status <> 'withdrawn' AND opened_window >= date_trunc('day', clock.max_event_time)) AS alerts_today,
       (SELECT count(*) FROM suppressed_windows
        WHERE window_start >= clock.max_event_time - interval '24 hours') AS suppressed_windows,
       (SELECT count(*) FROM drop_alerts WHERE resolved_at IS NULL) AS open_drops,
       (SELECT count(*) FROM operator_alerts WHERE resolved_at IS NULL) AS operator_alerts
FROM (SELECT 1) AS always
LEFT JOIN detect_clock AS clock ON true
