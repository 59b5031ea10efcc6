-- The last change that is complete: none of a smaller event_id can appear later; 0 without any.
SELECT coalesce(max(event_id), 0) AS event_id
FROM alert_events
WHERE transaction < pg_snapshot_xmin(pg_current_snapshot())
