-- depends: 0038.incidents
-- Open alerts say, as recent ones do, whether their authors and texts are counted or estimated.

CREATE OR REPLACE VIEW open_alerts AS
SELECT keyword, provisional, severity, posts, expected_posts, distinct_authors, distinct_texts, peak_score, first_post_at,
       opened_window, last_window, top_post, alert_id, updated_at, authors_counted
FROM recent_alerts
WHERE status = 'open';
COMMENT ON COLUMN open_alerts.distinct_authors IS 'distinct authors (authors): counted in the archive if authors_counted, else estimated, as in recent_alerts';
COMMENT ON COLUMN open_alerts.distinct_texts IS 'distinct texts (texts), counted or estimated likewise';
COMMENT ON COLUMN open_alerts.authors_counted IS 'whether authors and texts are counted from all posts of the alert, by its evidence';
COMMENT ON COLUMN recent_alerts.distinct_authors IS 'distinct authors (authors): counted in the archive if authors_counted, else estimated, with an error of a tenth at 50 and a fifth at 200; from 300 on it means 300 or more';
