-- Posts of %(keywords)s in the window from %(start)s, %(unkept)s where none are kept, with the statistics as of %(as_of)s.
SELECT statistics.keyword, coalesce(live_counts.posts, %(unkept)s), statistics.level::float8, statistics.variance::float8, statistics.dispersion::float8,
       statistics.hour_deviation[1 + extract(hour FROM %(start)s::timestamptz)::int]::float8
FROM keyword_statistics AS statistics
LEFT JOIN live_counts ON live_counts.keyword = statistics.keyword AND live_counts.window_start = %(start)s
WHERE statistics.as_of = %(as_of)s AND statistics.keyword = ANY (%(keywords)s)
