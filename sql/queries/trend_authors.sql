-- Number of distinct authors of each kept key.
CREATE UNLOGGED TABLE staging.trend_authors AS
SELECT trend_id, count(*) AS authors
FROM (
    SELECT DISTINCT trend_id, author_id
    FROM post_keys
    JOIN staging.trend_kept USING (kind, key)
    JOIN staging.trend_posts USING (post_id)
    WHERE day = %(day)s AND author_id IS NOT NULL
) AS pairs
GROUP BY trend_id
