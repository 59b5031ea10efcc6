-- Live counts of the dominant keywords of windows from %(first)s up to, not including, %(before)s.
SELECT counts.keyword, counts.window_start, counts.posts
FROM dominant_keywords
JOIN live_counts AS counts USING (keyword, window_start)
WHERE counts.window_start >= %(first)s AND counts.window_start < %(before)s
ORDER BY counts.keyword, counts.window_start
