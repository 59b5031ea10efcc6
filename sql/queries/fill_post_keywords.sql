-- The staged keywords into the partition of their day: one row a post and keyword, in the order that the index by ranges of rows needs.
INSERT INTO staging.post_keywords_day (day, post_id, keyword)
SELECT DISTINCT %(day)s::date, post_id, keyword
FROM staging.post_keywords
ORDER BY keyword, post_id
