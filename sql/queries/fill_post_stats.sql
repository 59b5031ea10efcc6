-- Fill the day's partition with the counts of the staged posts: each post's first delivery, and each one that
-- changed something.
INSERT INTO staging.post_stats_day (
    day, post_id, seen_at, play_count, like_count, share_count, comment_count, author_id, music_id, challenge_ids
)
SELECT %(day)s, post_id, seen_at, play_count, like_count, share_count, comment_count, author_id, music_id, challenge_ids
FROM (
    SELECT delivered.*, row_number() OVER deliveries AS place,
           lag(ROW(play_count, like_count, share_count, comment_count, author_id, music_id, challenge_ids))
               OVER deliveries AS before
    FROM (
        SELECT DISTINCT ON (post_id, last_seen)
               post_id, last_seen AS seen_at, play_count, like_count, share_count, comment_count, author_id, music_id,
               coalesce(listed.challenge_ids, '{}') AS challenge_ids
        FROM staging.posts
        LEFT JOIN (
            SELECT post_id, last_seen, collected_at, array_agg(DISTINCT challenge_id ORDER BY challenge_id) AS challenge_ids
            FROM staging.post_challenges
            GROUP BY post_id, last_seen, collected_at
        ) AS listed USING (post_id, last_seen, collected_at)
        ORDER BY post_id, last_seen, collected_at DESC, kafka_offset DESC, kafka_partition DESC
    ) AS delivered
    WINDOW deliveries AS (PARTITION BY post_id ORDER BY seen_at)
) AS compared
WHERE place = 1
   OR ROW(play_count, like_count, share_count, comment_count, author_id, music_id, challenge_ids) IS DISTINCT FROM before
