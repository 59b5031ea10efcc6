-- The staged keywords into the partition of their day: one row a post and keyword, in the order that the index by ranges of rows needs.
INSERT INTO staging.post_keywords_day (day, post_id, keyword)
SELECT %(day)s, post_id, keyword
FROM staging.post_keywords
GROUP BY keyword, post_id
ORDER BY keyword, post_id
