-- Number of alerts that opened from %(first)s and before %(before)s, and of windows suppressed in that time.
SELECT
    (SELECT count(*)
     FROM anomaly_alerts
     WHERE opened_window >= %(first)s AND opened_window < %(before)s AND status <> 'withdrawn') AS opened,
    (SELECT count(*) FROM suppressed_windows WHERE window_start >= %(first)s AND window_start < %(before)s) AS suppressed
