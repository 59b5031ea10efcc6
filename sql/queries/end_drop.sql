-- A window with posts: ends the silence of %(keyword)s that lasts, if any.
UPDATE drop_alerts
SET resolved_at = %(start)s
WHERE keyword = %(keyword)s AND resolved_at IS NULL AND last_window < %(start)s
