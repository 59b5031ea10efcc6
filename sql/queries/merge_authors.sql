-- Merge staging.authors into authors: a newer delivery replaces an older one, never the reverse, so days can be
-- loaded again and in any order. Rows that would not change are not written.
MERGE INTO authors AS kept
USING (
    SELECT DISTINCT ON (author_id) *, min(first_seen) OVER (PARTITION BY author_id) AS earliest
    FROM staging.authors
    ORDER BY author_id, last_seen DESC, kafka_offset DESC, kafka_partition DESC
) AS new ON kept.author_id = new.author_id
WHEN MATCHED
    AND (new.last_seen, new.kafka_offset, new.kafka_partition)
        > (kept.last_seen, kept.kafka_offset, kept.kafka_partition)
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
    kafka_offset = new.kafka_offset
WHEN MATCHED AND new.earliest < kept.first_seen
THEN UPDATE SET first_seen = new.earliest
WHEN NOT MATCHED
THEN INSERT (
    author_id, unique_id, nickname, signature, sec_uid, is_verified, is_secret, following_count, follower_count,
    heart_count, video_count, like_count, first_seen, last_seen, kafka_partition, kafka_offset
) VALUES (
    new.author_id, new.unique_id, new.nickname, new.signature, new.sec_uid, new.is_verified, new.is_secret,
    new.following_count, new.follower_count, new.heart_count, new.video_count, new.like_count, new.earliest,
    new.last_seen, new.kafka_partition, new.kafka_offset
)
