-- Merge staging.challenges into challenges: a delivery collected later replaces an earlier one, never the reverse, so days can
-- be loaded again and in any order. Rows that would not change are not written.
MERGE INTO challenges AS kept
USING (
    SELECT DISTINCT ON (challenge_id) *, min(first_seen) OVER (PARTITION BY challenge_id) AS earliest
    FROM staging.challenges
    ORDER BY challenge_id, collected_at DESC, least(kafka_offset, 0) DESC, last_seen DESC,
             kafka_offset DESC, kafka_partition DESC, name DESC, description DESC
) AS new ON kept.challenge_id = new.challenge_id
WHEN MATCHED
    -- Offsets of imports are negative and grow in the order of lines; those of Kafka tell nothing across partitions.
    AND (new.collected_at, least(new.kafka_offset, 0), new.last_seen, new.kafka_offset, new.kafka_partition)
        > (kept.collected_at, least(kept.kafka_offset, 0), kept.last_seen, kept.kafka_offset, kept.kafka_partition)
THEN UPDATE SET
    name = new.name,
    description = new.description,
    split_title = new.split_title,
    is_commerce = new.is_commerce,
    first_seen = least(kept.first_seen, new.earliest),
    last_seen = new.last_seen,
    kafka_partition = new.kafka_partition,
    kafka_offset = new.kafka_offset,
    collected_at = new.collected_at
WHEN MATCHED AND new.earliest < kept.first_seen
THEN UPDATE SET first_seen = new.earliest
WHEN NOT MATCHED
THEN INSERT (
    challenge_id, name, description, split_title, is_commerce, first_seen, last_seen, kafka_partition, kafka_offset,
    collected_at
) VALUES (
    new.challenge_id, new.name, new.description, new.split_title, new.is_commerce, new.earliest, new.last_seen,
    new.kafka_partition, new.kafka_offset, new.collected_at
)
