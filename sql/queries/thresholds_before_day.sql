-- The thresholds derived from a budget by which windows of %(day)s are judged: the newest of each scope before that day.
SELECT DISTINCT ON (scope) scope, threshold::float8 AS threshold
FROM detection_thresholds
WHERE as_of < %(day)s
ORDER BY scope, as_of DESC
