-- Statistics of %(keywords)s as of a day; keywords without history have no row.
SELECT statistics.keyword, statistics.level, statistics.hour_deviation, statistics.variance, statistics.burst
FROM unnest(%(keywords)s::text[]) AS asked (keyword)
JOIN keyword_statistics AS statistics ON statistics.as_of = %(as_of)s AND statistics.keyword = asked.keyword
