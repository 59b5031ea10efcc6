-- Every post of a day once: its last counts of the day, the hour of its first delivery, and the terms of the rates'
-- sums.
CREATE UNLOGGED TABLE staging.trend_posts AS
SELECT post_id, author_id, hour, play_count, like_count, share_count, comment_count,
       CASE WHEN num_nulls(like_count, comment_count, share_count) = 0 THEN played END AS engaged_plays,
       CASE WHEN played IS NOT NULL THEN like_count::numeric + comment_count + share_count END AS engaged,
       CASE WHEN share_count IS NOT NULL THEN played END AS shared_plays,
       CASE WHEN played IS NOT NULL THEN share_count END AS played_shares,
       CASE WHEN comment_count IS NOT NULL THEN played END AS discussed_plays,
       CASE WHEN played IS NOT NULL THEN comment_count END AS played_comments
FROM (
    SELECT DISTINCT ON (post_id) *, CASE WHEN play_count > 0 THEN play_count END AS played,
           extract(hour FROM min(seen_at) OVER (PARTITION BY post_id) AT TIME ZONE 'UTC')::smallint AS hour
    FROM post_stats
    WHERE day = %(day)s
    ORDER BY post_id, seen_at DESC
) AS newest
