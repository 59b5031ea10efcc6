-- A window with a drop: continue the open drop of %(keyword)s, or open one.
WITH continued AS (
    UPDATE drop_alerts
    SET last_window = %(start)s,
        posts = posts + %(posts)s,
        expected = expected + %(expected)s,
        lowest_score = least(lowest_score, %(score)s)
    WHERE keyword = %(keyword)s AND resolved_at IS NULL AND last_window < %(start)s
    RETURNING keyword
)
INSERT INTO drop_alerts (keyword, opened_window, last_window, posts, expected, lowest_score)
SELECT %(keyword)s, %(start)s, %(start)s, %(posts)s, %(expected)s, %(score)s
WHERE NOT EXISTS (SELECT FROM continued)
  AND NOT EXISTS (SELECT FROM drop_alerts WHERE keyword = %(keyword)s AND resolved_at IS NULL)
ON CONFLICT (keyword, opened_window) DO NOTHING
