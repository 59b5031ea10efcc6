-- The closed windows of the newest confirmed alert of each of %(keywords)s, in order: what the next decision builds on.
SELECT
    newest.keyword, newest.status = 'resolved' AS resolved, windows.window_start,
    windows.posts, windows.total_posts, windows.ratio, windows.expected, windows.scale, windows.score, windows.hourly_posts,
    windows.hourly_expected, windows.hourly_spread, windows.hourly_score, windows.threshold, windows.threshold_ratio, windows.statistics_as_of,
    windows.authors_bitmap, windows.hourly_authors_bitmap, windows.texts_bitmap, windows.first_post_at, windows.first_post_id,
    windows.latest_post_id, windows.top_post_id, windows.top_likes,
    windows.past_posts, windows.past_total_posts, windows.past_since, windows.moved_hours
FROM (
    SELECT DISTINCT ON (keyword) keyword, alert_id, status
    FROM anomaly_alerts
    WHERE keyword = ANY (%(keywords)s) AND NOT provisional AND status <> 'withdrawn'
    ORDER BY keyword, opened_window DESC
) AS newest
JOIN alert_windows AS windows ON windows.alert_id = newest.alert_id AND windows.closed
ORDER BY newest.keyword, windows.window_start
