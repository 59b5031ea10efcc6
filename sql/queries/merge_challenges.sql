-- Merge staging.challenges into challenges: a newer delivery replaces an older one, never the reverse, so days can
-- be loaded again and in any order. Rows that would not change are not written.
MERGE INTO challenges AS kept
USING (
    SELECT DISTINCT ON (challenge_id) *, min(first_seen) OVER (PARTITION BY challenge_id) AS earliest
    FROM staging.challenges
    ORDER BY challenge_id, last_seen DESC, kafka_offset DESC, kafka_partition DESC, name DESC, description DESC
) AS new ON kept.challenge_id = new.challenge_id
WHEN MATCHED
    AND (new.last_seen, new.kafka_offset, new.kafka_partition)
        > (kept.last_seen, kept.kafka_offset, kept.kafka_partition)
THEN UPDATE SET
    name = new.name,
    description = new.description,
    split_title = new.split_title,
    is_commerce = new.is_commerce,
    first_seen = least(kept.first_seen, new.earliest),
    last_seen = new.last_seen,
    kafka_partition = new.kafka_partition,
    kafka_offset = new.kafka_offset
WHEN MATCHED AND new.earliest < kept.first_seen
THEN UPDATE SET first_seen = new.earliest
WHEN NOT MATCHED
THEN INSERT (
    challenge_id, name, description, split_title, is_commerce, first_seen, last_seen, kafka_partition, kafka_offset
) VALUES (
    new.challenge_id, new.name, new.description, new.split_title, new.is_commerce, new.earliest, new.last_seen,
    new.kafka_partition, new.kafka_offset
)
