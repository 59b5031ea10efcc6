-- A window without a drop: resolve the open drop of %(keyword)s, if any.
UPDATE drop_alerts
SET resolved_at = %(start)s
WHERE keyword = %(keyword)s AND resolved_at IS NULL AND last_window < %(start)s
