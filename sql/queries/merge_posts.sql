-- Merge staging.posts into posts: a delivery collected later replaces an earlier one, never the reverse, so days can be loaded
-- again and in any order. Rows that would not change are not written.
MERGE INTO posts AS kept
USING (
    SELECT DISTINCT ON (post_id) *, min(first_seen) OVER (PARTITION BY post_id) AS earliest
    FROM staging.posts
    ORDER BY post_id, collected_at DESC, least(kafka_offset, 0) DESC, last_seen DESC,
             kafka_offset DESC, kafka_partition DESC
) AS new ON kept.post_id = new.post_id
WHEN MATCHED
    -- Offsets of imports are negative and grow in the order of lines; those of Kafka tell nothing across partitions.
    AND (new.collected_at, least(new.kafka_offset, 0), new.last_seen, new.kafka_offset, new.kafka_partition)
        > (kept.collected_at, least(kept.kafka_offset, 0), kept.last_seen, kept.kafka_offset, kept.kafka_partition)
THEN UPDATE SET
    text = new.text,
    created_at = new.created_at,
    author_id = new.author_id,
    music_id = new.music_id,
    duet_of_post_id = new.duet_of_post_id,
    like_count = new.like_count,
    share_count = new.share_count,
    comment_count = new.comment_count,
    play_count = new.play_count,
    duration_seconds = new.duration_seconds,
    width_pixels = new.width_pixels,
    height_pixels = new.height_pixels,
    is_original = new.is_original,
    is_official = new.is_official,
    is_activity_item = new.is_activity_item,
    first_seen = least(kept.first_seen, new.earliest),
    last_seen = new.last_seen,
    kafka_partition = new.kafka_partition,
    kafka_offset = new.kafka_offset,
    collected_at = new.collected_at
WHEN MATCHED AND new.earliest < kept.first_seen
THEN UPDATE SET first_seen = new.earliest
WHEN NOT MATCHED
THEN INSERT (
    post_id, text, created_at, author_id, music_id, duet_of_post_id, like_count, share_count, comment_count,
    play_count, duration_seconds, width_pixels, height_pixels, is_original, is_official, is_activity_item,
    first_seen, last_seen, kafka_partition, kafka_offset,
    collected_at
) VALUES (
    new.post_id, new.text, new.created_at, new.author_id, new.music_id, new.duet_of_post_id, new.like_count,
    new.share_count, new.comment_count, new.play_count, new.duration_seconds, new.width_pixels, new.height_pixels,
    new.is_original, new.is_official, new.is_activity_item, new.earliest, new.last_seen, new.kafka_partition,
    new.kafka_offset, new.collected_at
)
