-- Suppressed windows, newest first.
SELECT keyword, window_start, reason, posts, distinct_authors, expected, hourly_posts, hourly_distinct_authors
FROM suppressed_windows
WHERE %(keyword)s::text IS NULL OR keyword = %(keyword)s
ORDER BY window_start DESC, posts DESC, keyword
OFFSET %(skip)s
LIMIT %(most)s
