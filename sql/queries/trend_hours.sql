-- Posts and sums of the kept keys per hour.
CREATE UNLOGGED TABLE staging.trend_hours AS
SELECT trend_id, hour, count(*) AS posts, sum(play_count) AS plays, sum(like_count) AS likes, sum(share_count) AS shares,
       sum(comment_count) AS comments, sum(engaged) AS engaged, sum(engaged_plays) AS engaged_plays,
       sum(played_shares) AS played_shares, sum(shared_plays) AS shared_plays, sum(played_comments) AS played_comments,
       sum(discussed_plays) AS discussed_plays
FROM post_keys
JOIN staging.trend_kept USING (kind, key)
JOIN staging.trend_posts USING (post_id)
WHERE day = %(day)s
GROUP BY trend_id, hour
