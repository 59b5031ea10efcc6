-- Add the keywords of the temporary table batch_counts that have %(posts)s posts or more and %(share)s of those of all keywords.
INSERT INTO dominant_keywords (window_start, keyword)
SELECT counts.window_start, counts.keyword
FROM batch_counts AS counts
JOIN traffic_windows AS traffic USING (window_start)
WHERE counts.posts >= %(posts)s AND counts.posts >= %(share)s * traffic.posts
ON CONFLICT DO NOTHING
