-- How many different authors the kept keys have.
CREATE UNLOGGED TABLE staging.trend_authors AS
SELECT kind, rank, count(*) AS authors
FROM (
    SELECT DISTINCT kind, rank, author_id
    FROM post_keys
    JOIN staging.trend_kept USING (kind, key)
    JOIN staging.trend_posts USING (post_id)
    WHERE day = %(day)s AND author_id IS NOT NULL
) AS pairs
GROUP BY kind, rank
