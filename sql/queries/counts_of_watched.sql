-- Posts of %(keywords)s in the window that starts at %(start)s, with the statistics as of %(as_of)s.
-- A keyword without a live count in that window has %(unkept)s posts.
SELECT
    statistics.keyword,
    coalesce(live_counts.posts, %(unkept)s) AS posts,
    statistics.level::float8 AS level,
    statistics.variance::float8 AS variance,
    statistics.dispersion::float8 AS dispersion,
    statistics.hour_deviation[1 + extract(hour FROM %(start)s::timestamptz)::int]::float8 AS deviation
FROM keyword_statistics AS statistics
LEFT JOIN live_counts ON live_counts.keyword = statistics.keyword AND live_counts.window_start = %(start)s
WHERE statistics.as_of = %(as_of)s AND statistics.keyword = ANY (%(keywords)s)
