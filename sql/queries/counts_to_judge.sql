-- Kept counts of windows from %(first)s to %(before)s with the statistics as of %(as_of)s: the deviation of the window's hour
-- and of the hour in which the last hour began. Which counts is said by a further condition on `hours`.
SELECT
    hours.keyword, hours.window_start, hours.posts, hours.authors_bitmap, hours.texts_bitmap, hours.first_post_at,
    hours.first_post_id, hours.latest_post_id, hours.top_post_id, hours.top_likes, hours.hourly_posts, hours.hourly_authors_bitmap,
    statistics.level::float8, statistics.variance::float8, statistics.dispersion::float8, statistics.hourly_spread::float8,
    statistics.hour_deviation[1 + extract(hour FROM hours.window_start)::int]::float8,
    statistics.hour_deviation[1 + extract(hour FROM hours.window_start - interval '45 minutes')::int]::float8
FROM live_hours AS hours
LEFT JOIN keyword_statistics AS statistics ON statistics.as_of = %(as_of)s AND statistics.keyword = hours.keyword
WHERE hours.window_start >= %(first)s AND hours.window_start < %(before)s
