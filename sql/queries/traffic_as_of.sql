-- What was expected of each hour, learned up to the end of a day: 24 rows if that day is complete.
SELECT hour, expected_posts::float8, history_days::float8, keyword_rule
FROM traffic_statistics
WHERE as_of = %(as_of)s
ORDER BY hour
