-- Alerts updated after %(since)s, oldest update first.
SELECT alert_id, keyword, status, provisional, severity, posts, expected_posts, distinct_authors, opened_window, last_window,
       resolved_at, top_post, updated_at, judged_by, authors_counted
FROM recent_alerts
WHERE updated_at > %(since)s
ORDER BY updated_at, keyword
