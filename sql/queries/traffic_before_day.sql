-- The 24 hours of expected traffic by which windows of %(day)s are judged: the newest complete statistics before that day.
SELECT as_of, hour, expected_posts::float8 AS expected_posts, keyword_rule
FROM traffic_statistics
WHERE as_of = (SELECT max(as_of) FROM traffic_statistics WHERE as_of < %(day)s)
ORDER BY hour
