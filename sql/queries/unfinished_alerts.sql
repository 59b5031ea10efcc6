-- Closed windows before %(start)s of each keyword's newest confirmed alert before it, if that opened after %(opened)s or was
-- unusual as late as %(last)s; in order.
SELECT newest.keyword, windows.window_start, windows.posts, windows.score::float8, windows.threshold_ratio::float8
FROM (
    SELECT DISTINCT ON (keyword) keyword, alert_id, opened_window, last_window
    FROM anomaly_alerts
    WHERE opened_window < %(start)s AND NOT provisional AND status <> 'withdrawn'
      AND (opened_window >= %(opened)s OR last_window >= %(last)s)
    ORDER BY keyword, opened_window DESC
) AS newest
JOIN alert_windows AS windows ON windows.alert_id = newest.alert_id AND windows.closed AND windows.window_start < %(start)s
ORDER BY newest.keyword, windows.window_start
