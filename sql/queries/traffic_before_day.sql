-- The 24 rows of traffic by which windows of %(day)s are judged: the newest complete as_of before that day.
SELECT as_of, hour, expected_posts::float8
FROM traffic_statistics
WHERE as_of = (SELECT max(as_of) FROM traffic_statistics WHERE as_of < %(day)s)
ORDER BY hour
