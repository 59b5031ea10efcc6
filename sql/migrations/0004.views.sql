-- depends: 0002.alerts 0003.entities
-- Alerts with plain names, for people.

CREATE VIEW recent_alerts AS
SELECT
    alerts.keyword,
    alerts.status,
    alerts.provisional,
    alerts.severity,
    alerts.posts,
    round(alerts.expected::numeric, 1)                 AS expected_posts,
    round(alerts.distinct_authors)::bigint             AS distinct_authors,
    round(alerts.distinct_texts)::bigint               AS distinct_texts,
    round(alerts.peak_score::numeric, 1)               AS peak_score,
    alerts.first_post_at,
    alerts.opened_window,
    alerts.last_window,
    alerts.resolved_at,
    'https://www.tiktok.com/@' || coalesce(authors.unique_id, '_') || '/video/' || alerts.top_post_id AS top_post,
    alerts.alert_id,
    alerts.updated_at
FROM anomaly_alerts AS alerts
LEFT JOIN posts ON posts.post_id = alerts.top_post_id
LEFT JOIN authors ON authors.author_id = posts.author_id
ORDER BY alerts.opened_window DESC, alerts.peak_score DESC;

COMMENT ON VIEW recent_alerts IS 'Alerts, newest first, with a link to the most liked post.';
COMMENT ON COLUMN recent_alerts.keyword IS 'the keyword, as the keyword rule writes it';
COMMENT ON COLUMN recent_alerts.status IS 'open, resolved or withdrawn';
COMMENT ON COLUMN recent_alerts.provisional IS 'true while the first window is still open: the alert may be withdrawn';
COMMENT ON COLUMN recent_alerts.severity IS 'notable, strong or extreme';
COMMENT ON COLUMN recent_alerts.posts IS 'distinct posts over the incident (posts)';
COMMENT ON COLUMN recent_alerts.expected_posts IS 'posts that were expected in the same windows (posts)';
COMMENT ON COLUMN recent_alerts.distinct_authors IS 'estimated distinct authors (authors)';
COMMENT ON COLUMN recent_alerts.distinct_texts IS 'estimated distinct texts (texts)';
COMMENT ON COLUMN recent_alerts.peak_score IS 'highest score of a window (standard deviations)';
COMMENT ON COLUMN recent_alerts.first_post_at IS 'event time of the first post in the opening window (UTC)';
COMMENT ON COLUMN recent_alerts.opened_window IS 'start of the window that opened it (event time, UTC)';
COMMENT ON COLUMN recent_alerts.last_window IS 'start of the last unusual window (event time, UTC)';
COMMENT ON COLUMN recent_alerts.resolved_at IS 'end of the incident (event time, UTC); null while open';
COMMENT ON COLUMN recent_alerts.top_post IS 'link to its most liked post; the name in it is _ until the author is loaded';
COMMENT ON COLUMN recent_alerts.alert_id IS 'key of anomaly_alerts';
COMMENT ON COLUMN recent_alerts.updated_at IS 'when the alert was last written (wall clock)';

CREATE VIEW open_alerts AS
SELECT keyword, provisional, severity, posts, expected_posts, distinct_authors, distinct_texts, peak_score, first_post_at,
       opened_window, last_window, top_post, alert_id, updated_at
FROM recent_alerts
WHERE status = 'open';

COMMENT ON VIEW open_alerts IS 'Alerts that are going on, newest first.';
COMMENT ON COLUMN open_alerts.keyword IS 'the keyword, as the keyword rule writes it';
COMMENT ON COLUMN open_alerts.provisional IS 'true while the first window is still open: the alert may be withdrawn';
COMMENT ON COLUMN open_alerts.severity IS 'notable, strong or extreme';
COMMENT ON COLUMN open_alerts.posts IS 'distinct posts over the incident (posts)';
COMMENT ON COLUMN open_alerts.expected_posts IS 'posts that were expected in the same windows (posts)';
COMMENT ON COLUMN open_alerts.distinct_authors IS 'estimated distinct authors (authors)';
COMMENT ON COLUMN open_alerts.distinct_texts IS 'estimated distinct texts (texts)';
COMMENT ON COLUMN open_alerts.peak_score IS 'highest score of a window (standard deviations)';
COMMENT ON COLUMN open_alerts.first_post_at IS 'event time of the first post in the opening window (UTC)';
COMMENT ON COLUMN open_alerts.opened_window IS 'start of the window that opened it (event time, UTC)';
COMMENT ON COLUMN open_alerts.last_window IS 'start of the last unusual window (event time, UTC)';
COMMENT ON COLUMN open_alerts.top_post IS 'link to its most liked post; the name in it is _ until the author is loaded';
COMMENT ON COLUMN open_alerts.alert_id IS 'key of anomaly_alerts';
COMMENT ON COLUMN open_alerts.updated_at IS 'when the alert was last written (wall clock)';
