-- The thresholds for a budget by which windows of %(day)s are judged: of each scope the newest as_of before that day.
SELECT DISTINCT ON (scope) scope, threshold::float8
FROM detection_thresholds
WHERE as_of < %(day)s
ORDER BY scope, as_of DESC
