-- Delete the counts of windows that start before %(before)s.
DELETE FROM live_counts WHERE window_start < %(before)s
