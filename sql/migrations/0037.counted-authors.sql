-- depends: 0036.first-day
-- The true number of authors and texts of an alert, once its evidence is gathered.

ALTER TABLE evidence_runs ADD COLUMN authors integer, ADD COLUMN texts integer;
COMMENT ON COLUMN evidence_runs.authors IS 'distinct authors of those posts (authors); null before it was counted';
COMMENT ON COLUMN evidence_runs.texts IS 'distinct texts of those posts, as keywords in their order (texts); null before it was counted';

CREATE OR REPLACE VIEW recent_alerts AS
SELECT
    alerts.keyword,
    alerts.status,
    alerts.provisional,
    alerts.severity,
    alerts.posts,
    round(alerts.expected::numeric, 1)                 AS expected_posts,
    CASE WHEN counted.complete THEN counted.authors ELSE round(alerts.distinct_authors)::bigint END AS distinct_authors,
    CASE WHEN counted.complete THEN counted.texts ELSE round(alerts.distinct_texts)::bigint END     AS distinct_texts,
    round(alerts.peak_score::numeric, 1)               AS peak_score,
    alerts.first_post_at,
    alerts.opened_window,
    alerts.last_window,
    alerts.resolved_at,
    'https://www.tiktok.com/@' || coalesce(authors.unique_id, '_') || '/video/' || alerts.top_post_id AS top_post,
    alerts.alert_id,
    alerts.updated_at,
    alerts.judged_by,
    coalesce(counted.complete, false)                  AS authors_counted
FROM anomaly_alerts AS alerts
LEFT JOIN LATERAL (
    SELECT runs.authors, runs.texts, runs.authors IS NOT NULL AND runs.posts >= alerts.posts AS complete
    FROM evidence_runs AS runs
    WHERE runs.alert_id = alerts.alert_id
) AS counted ON true
LEFT JOIN posts ON posts.post_id = alerts.top_post_id
LEFT JOIN authors ON authors.author_id = posts.author_id
ORDER BY alerts.opened_window DESC, alerts.peak_score DESC;
COMMENT ON COLUMN recent_alerts.distinct_authors IS 'distinct authors (authors): counted in the archive if authors_counted, else estimated, with an error of a tenth at 50 and a fifth at 200; 300 means 300 or more';
COMMENT ON COLUMN recent_alerts.distinct_texts IS 'distinct texts (texts), counted or estimated likewise';
COMMENT ON COLUMN recent_alerts.judged_by IS 'what its first window was judged by: daily statistics, or on a first day the windows before it';
COMMENT ON COLUMN recent_alerts.authors_counted IS 'whether authors and texts are counted from all posts of the alert, by its evidence';
