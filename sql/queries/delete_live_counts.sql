-- Delete the counts of windows that start before %(before)s, and all of the past: statistics cover every hour.
WITH forgotten AS (DELETE FROM past_counts)
DELETE FROM live_counts WHERE window_start < %(before)s
