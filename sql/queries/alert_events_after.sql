-- Complete changes after %(event_id)s, in order, at most %(most)s.
SELECT event_id, happened_at, kind, keyword, alert_id, incident_id
FROM alert_events
WHERE event_id > %(event_id)s AND transaction < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY event_id
LIMIT %(most)s
