-- The trends of a day from what was counted; a day before that is not among the known ones gives null and not 0.
INSERT INTO daily_trends (
    day, kind, key, rank, posts, authors, plays, likes, shares, comments, engagement_rate, virality, discussion,
    posts_day_ago, posts_week_ago, growth_1h, steepest_hour, growth_1d, growth_7d
)
WITH sums AS (
    SELECT kind, rank, sum(posts)::bigint AS posts, sum(plays) AS plays, sum(likes) AS likes, sum(shares) AS shares,
           sum(comments) AS comments, sum(engaged) / sum(engaged_plays) AS engagement_rate,
           sum(played_shares) / sum(shared_plays) AS virality, sum(played_comments) / sum(discussed_plays) AS discussion
    FROM staging.trend_hours
    GROUP BY kind, rank
), steepest AS (
    SELECT DISTINCT ON (kind, rank) kind, rank, hours.hour, growth(hours.posts, coalesce(before.posts, 0)) AS growth_1h
    FROM staging.trend_hours AS hours
    LEFT JOIN (SELECT kind, rank, hour + 1 AS hour, posts FROM staging.trend_hours) AS before USING (kind, rank, hour)
    WHERE hours.hour > 0 AND hours.posts > coalesce(before.posts, 0)
    ORDER BY kind, rank, growth_1h DESC, hours.hour
), before AS (
    SELECT kind, rank,
           CASE WHEN %(day)s::date - 1 = ANY (%(known)s::date[]) THEN coalesce(day_ago.posts, 0) END AS posts_day_ago,
           CASE WHEN %(day)s::date - 7 = ANY (%(known)s::date[]) THEN coalesce(week_ago.posts, 0) END AS posts_week_ago
    FROM staging.trend_kept
    LEFT JOIN (SELECT * FROM staging.trend_before WHERE day = %(day)s::date - 1) AS day_ago USING (kind, rank)
    LEFT JOIN (SELECT * FROM staging.trend_before WHERE day = %(day)s::date - 7) AS week_ago USING (kind, rank)
)
SELECT %(day)s, kind, key, rank, posts, coalesce(authors, 0), plays, likes, shares, comments, engagement_rate, virality, discussion,
       posts_day_ago, posts_week_ago, coalesce(growth_1h, 0), hour, growth(posts, posts_day_ago), growth(posts, posts_week_ago)
FROM staging.trend_kept
JOIN sums USING (kind, rank)
JOIN before USING (kind, rank)
LEFT JOIN steepest USING (kind, rank)
LEFT JOIN staging.trend_authors USING (kind, rank)
