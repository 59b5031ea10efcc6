-- A resolved alert of snow on 2026-01-02, with a window every quarter of an hour, that was labelled a new normal.
INSERT INTO anomaly_alerts (
    alert_id, keyword, status, provisional, opened_window, last_window, resolved_at, posts, expected, score, peak_score,
    threshold_ratio, severity, opened_by, distinct_authors, distinct_texts, rule_version, degraded
) VALUES (
    '00000000-0000-0000-0000-000000000001', 'snow', 'resolved', false, '2026-01-02 00:00+00', '2026-01-02 11:45+00',
    '2026-01-02 13:00+00', 96, 1, 7, 7, 1.2, 'notable', 'window', 90, 90, 'test', false
);
INSERT INTO alert_windows (
    alert_id, window_start, closed, posts, ratio, expected, scale, score, hourly_posts, hourly_expected, hourly_spread, hourly_score,
    threshold, threshold_ratio, authors_bitmap, hourly_authors_bitmap, texts_bitmap, first_post_at, first_post_id, latest_post_id,
    top_post_id, top_likes
)
SELECT '00000000-0000-0000-0000-000000000001', start, true, 2, 1, 1, 1, 7, 8, 4, 1, 7, 6, 1.2, 1, 1, 1, start, 1, 2, 1, 0
FROM generate_series('2026-01-02 00:00+00'::timestamptz, '2026-01-02 11:45+00', '15 minutes') AS start;
INSERT INTO alert_labels (alert_id, label) VALUES ('00000000-0000-0000-0000-000000000001', 'new normal');
