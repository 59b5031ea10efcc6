-- Delete the dominant keywords of windows that start before %(before)s.
DELETE FROM dominant_keywords WHERE window_start < %(before)s
