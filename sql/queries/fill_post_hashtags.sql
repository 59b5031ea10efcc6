-- Fill the day's partition with the staged hashtags: one row per post and hashtag, with the sources of all its
-- deliveries.
INSERT INTO staging.post_hashtags_day (day, hashtag, post_id, in_text, in_text_extra)
SELECT %(day)s, hashtag, post_id, bool_or(in_text), bool_or(in_text_extra)
FROM staging.post_hashtags
GROUP BY hashtag, post_id
ORDER BY hashtag, post_id
