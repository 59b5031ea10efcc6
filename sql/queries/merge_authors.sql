-- Merge staging.authors into authors: a delivery collected later replaces an earlier one, never the reverse, so days can be
-- loaded again and in any order. Rows that would not change are not written.
MERGE INTO authors AS kept
USING (
    SELECT DISTINCT ON (author_id) *, min(first_seen) OVER (PARTITION BY author_id) AS earliest
    FROM staging.authors
    ORDER BY author_id, collected_at DESC, least(kafka_offset, 0) DESC, last_seen DESC,
             kafka_offset DESC, kafka_partition DESC
) AS new ON kept.author_id = new.author_id
WHEN MATCHED
    -- Offsets of imports are negative and grow in the order of lines; those of Kafka tell nothing across partitions.
    AND (new.collected_at, least(new.kafka_offset, 0), new.last_seen, new.kafka_offset, new.kafka_partition)
        > (kept.collected_at, least(kept.kafka_offset, 0), kept.last_seen, kept.kafka_offset, kept.kafka_partition)
THEN UPDATE SET
    unique_id = new.unique_id,
    nickname = new.nickname,
    signature = new.signature,
    sec_uid = new.sec_uid,
    is_verified = new.is_verified,
    is_secret = new.is_secret,
    following_count = new.following_count,
    follower_count = new.follower_count,
    heart_count = new.heart_count,
    video_count = new.video_count,
    like_count = new.like_count,
    first_seen = least(kept.first_seen, new.earliest),
    last_seen = new.last_seen,
    kafka_partition = new.kafka_partition,
    kafka_offset = new.kafka_offset,
    collected_at = new.collected_at
WHEN MATCHED AND new.earliest < kept.first_seen
THEN UPDATE SET first_seen = new.earliest
WHEN NOT MATCHED
THEN INSERT (
    author_id, unique_id, nickname, signature, sec_uid, is_verified, is_secret, following_count, follower_count,
    heart_count, video_count, like_count, first_seen, last_seen, kafka_partition, kafka_offset,
    collected_at
) VALUES (
    new.author_id, new.unique_id, new.nickname, new.signature, new.sec_uid, new.is_verified, new.is_secret,
    new.following_count, new.follower_count, new.heart_count, new.video_count, new.like_count, new.earliest,
    new.last_seen, new.kafka_partition, new.kafka_offset, new.collected_at
)
