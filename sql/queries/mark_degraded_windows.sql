-- Set of each window in %(window_starts)s whether ingest was down, by the flag at the same position in %(degraded)s.
UPDATE traffic_windows
SET degraded = marks.degraded
FROM unnest(%(window_starts)s::timestamptz[], %(degraded)s::boolean[]) AS marks (window_start, degraded)
WHERE traffic_windows.window_start = marks.window_start
