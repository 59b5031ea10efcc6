-- Incidents updated after %(since)s, oldest first.
SELECT keyword, other_keywords, status, posts, opened_window, last_window, typical_post
FROM recent_incidents
WHERE updated_at > %(since)s
ORDER BY opened_window, keyword
