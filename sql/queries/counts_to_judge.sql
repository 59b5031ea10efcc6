-- Live counts of windows from %(first)s up to, not including, %(before)s, with the statistics as of %(as_of)s: deviation is that of
-- the window's hour, deviation_before that of the hour of day in which the hourly window began. A condition on `hours` is appended.
SELECT
    hours.keyword, hours.window_start, hours.posts, hours.authors_bitmap, hours.texts_bitmap, hours.first_post_at,
    hours.first_post_id, hours.latest_post_id, hours.top_post_id, hours.top_likes, hours.hourly_posts, hours.hourly_authors_bitmap,
    hours.posts_before,
    statistics.level::float8 AS level,
    statistics.variance::float8 AS variance,
    statistics.dispersion::float8 AS dispersion,
    statistics.hourly_spread::float8 AS hourly_spread,
    statistics.hour_deviation[1 + extract(hour FROM hours.window_start)::int]::float8 AS deviation,
    statistics.hour_deviation[1 + extract(hour FROM hours.window_start - interval '45 minutes')::int]::float8 AS deviation_before
FROM live_hours AS hours
LEFT JOIN keyword_statistics AS statistics ON statistics.as_of = %(as_of)s AND statistics.keyword = hours.keyword
WHERE hours.window_start >= %(first)s AND hours.window_start < %(before)s
