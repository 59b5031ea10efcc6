-- Distinct posts of all keywords by window from %(first)s to before %(before)s, of windows that had any, as far as detection has not
-- started afresh since.
SELECT window_start, posts
FROM traffic_windows
WHERE window_start >= %(first)s AND window_start < %(before)s AND posts > 0 AND NOT before_restart
