-- Posts of the kept keys on the day before and on the same weekday a week before.
CREATE UNLOGGED TABLE staging.trend_before AS
SELECT trend_id, day, count(*) AS posts
FROM post_keys
JOIN staging.trend_kept USING (kind, key)
WHERE day IN (%(day)s::date - 1, %(day)s::date - 7)
GROUP BY trend_id, day
