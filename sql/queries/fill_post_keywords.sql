-- Fill the day's partition with the staged keywords: one row per post and keyword, in the order that the BRIN index
-- needs.
INSERT INTO staging.post_keywords_day (day, post_id, keyword)
SELECT %(day)s, post_id, keyword
FROM staging.post_keywords
GROUP BY keyword, post_id
ORDER BY keyword, post_id
