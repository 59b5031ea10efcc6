-- Posts of the kept keys on the day before and on the same weekday a week before: counted, or as the day's trends had
-- them so far if the posts of that day are no longer kept (%(lost)s).
CREATE UNLOGGED TABLE staging.trend_before AS
SELECT trend_id, day, count(*) AS posts
FROM post_keys
JOIN staging.trend_kept USING (kind, key)
WHERE day IN (%(day)s::date - 1, %(day)s::date - 7) AND day = ANY (%(known)s::date[])
GROUP BY trend_id, day
UNION ALL
SELECT kept.trend_id, before.day, before.posts
FROM daily_trends AS trends
JOIN staging.trend_kept AS kept USING (kind, key)
CROSS JOIN LATERAL (
    VALUES (%(day)s::date - 1, trends.posts_day_ago), (%(day)s::date - 7, trends.posts_week_ago)
) AS before (day, posts)
WHERE trends.day = %(day)s AND before.day = ANY (%(lost)s::date[])
