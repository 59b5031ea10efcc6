-- Drops of watched keywords, open ones first, then the newest.
SELECT keyword, opened_window, last_window, resolved_at, posts, expected
FROM drop_alerts
WHERE %(keyword)s::text IS NULL OR keyword = %(keyword)s
ORDER BY resolved_at IS NULL DESC, opened_window DESC, keyword
OFFSET %(skip)s
LIMIT %(most)s
