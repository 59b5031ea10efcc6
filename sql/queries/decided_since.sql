-- The end of the last decided window that ends after %(start)s, by the clock, alerts or suppressed windows; null if there is none.
SELECT greatest(
    (SELECT max(closed_until) FROM detect_clock WHERE closed_until > %(start)s),
    (SELECT max(last_window) + interval '15 minutes' FROM anomaly_alerts WHERE last_window >= %(start)s),
    (SELECT max(window_start) + interval '15 minutes' FROM suppressed_windows WHERE window_start >= %(start)s)
)
