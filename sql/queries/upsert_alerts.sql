-- Upsert the current state of alerts; absolute values under the natural key, so a repeat changes nothing.
INSERT INTO anomaly_alerts (
    alert_id, keyword, status, provisional, opened_window, last_window, resolved_at, first_post_at, posts, expected, score,
    peak_score, threshold_ratio, severity, opened_by, origin, distinct_authors, distinct_texts, first_post_id, latest_post_id, top_post_id,
    statistics_as_of, rule_version, degraded
) VALUES %s
ON CONFLICT (alert_id) DO UPDATE SET
    status = excluded.status,
    provisional = excluded.provisional,
    last_window = excluded.last_window,
    resolved_at = excluded.resolved_at,
    first_post_at = excluded.first_post_at,
    posts = excluded.posts,
    expected = excluded.expected,
    score = excluded.score,
    peak_score = excluded.peak_score,
    threshold_ratio = excluded.threshold_ratio,
    severity = excluded.severity,
    opened_by = excluded.opened_by,
    origin = excluded.origin,
    distinct_authors = excluded.distinct_authors,
    distinct_texts = excluded.distinct_texts,
    first_post_id = excluded.first_post_id,
    latest_post_id = excluded.latest_post_id,
    top_post_id = excluded.top_post_id,
    statistics_as_of = excluded.statistics_as_of,
    rule_version = excluded.rule_version,
    degraded = excluded.degraded,
    updated_at = now()
