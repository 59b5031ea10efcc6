-- Insert the trends of a day from its counts; no posts on an earlier day is 0 if that day is in %(known)s, and else null.
INSERT INTO daily_trends (
    day, kind, key, rank, posts, authors, plays, likes, shares, comments, engagement_rate, virality, discussion,
    posts_day_ago, posts_week_ago, growth_1h, steepest_hour, growth_1d, growth_7d
)
WITH sums AS (
    SELECT trend_id, sum(posts)::bigint AS posts, sum(plays) AS plays, sum(likes) AS likes, sum(shares) AS shares,
           sum(comments) AS comments, sum(engaged) / sum(engaged_plays) AS engagement_rate,
           sum(played_shares) / sum(shared_plays) AS virality, sum(played_comments) / sum(discussed_plays) AS discussion
    FROM staging.trend_hours
    GROUP BY trend_id
), steepest AS (
    SELECT DISTINCT ON (trend_id) trend_id, hours.hour, growth(hours.posts, coalesce(before.posts, 0)) AS growth_1h
    FROM staging.trend_hours AS hours
    LEFT JOIN (SELECT trend_id, hour + 1 AS hour, posts FROM staging.trend_hours) AS before USING (trend_id, hour)
    WHERE hours.hour > 0 AND hours.posts > coalesce(before.posts, 0)
    ORDER BY trend_id, growth_1h DESC, hours.hour
), before AS (
    SELECT trend_id,
           coalesce(day_ago.posts, CASE WHEN %(day)s::date - 1 = ANY (%(known)s::date[]) THEN 0 END) AS posts_day_ago,
           coalesce(week_ago.posts, CASE WHEN %(day)s::date - 7 = ANY (%(known)s::date[]) THEN 0 END) AS posts_week_ago
    FROM staging.trend_kept
    LEFT JOIN (SELECT * FROM staging.trend_before WHERE day = %(day)s::date - 1) AS day_ago USING (trend_id)
    LEFT JOIN (SELECT * FROM staging.trend_before WHERE day = %(day)s::date - 7) AS week_ago USING (trend_id)
)
SELECT %(day)s, kind, key, rank, posts, coalesce(authors, 0), plays, likes, shares, comments, engagement_rate,
       virality, discussion, posts_day_ago, posts_week_ago, coalesce(growth_1h, 0), hour, growth(posts, posts_day_ago),
       growth(posts, posts_week_ago)
FROM staging.trend_kept
JOIN sums USING (trend_id)
JOIN before USING (trend_id)
LEFT JOIN steepest USING (trend_id)
LEFT JOIN staging.trend_authors USING (trend_id)
