-- Fill the partition of a day's posts with the counts of the staged authors: the first delivery with any counts, and each
-- one that changed a count, in the order in which they were collected.
INSERT INTO staging.author_stats_day (
    post_day, author_id, seen_at, follower_count, following_count, heart_count, video_count, like_count
)
SELECT %(day)s, author_id, seen_at, follower_count, following_count, heart_count, video_count, like_count
FROM (
    SELECT delivered.*, row_number() OVER deliveries AS place,
           lag(ROW(follower_count, following_count, heart_count, video_count, like_count)) OVER deliveries AS before
    FROM (
        SELECT DISTINCT ON (author_id, collected_at)
               author_id, collected_at AS seen_at, follower_count, following_count, heart_count, video_count,
               like_count
        FROM staging.authors
        WHERE num_nonnulls(follower_count, following_count, heart_count, video_count, like_count) > 0
        ORDER BY author_id, collected_at, least(kafka_offset, 0) DESC, last_seen DESC, kafka_offset DESC,
                 kafka_partition DESC
    ) AS delivered
    WINDOW deliveries AS (PARTITION BY author_id ORDER BY seen_at)
) AS compared
WHERE place = 1
   OR ROW(follower_count, following_count, heart_count, video_count, like_count) IS DISTINCT FROM before
