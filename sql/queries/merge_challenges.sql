-- Merge staging.challenges into challenges: a newer delivery replaces an older one and never the reverse, so that days may be
-- loaded again and in any order. A row that changes nothing is not written.
MERGE INTO challenges AS kept
USING staging.challenges AS new ON kept.challenge_id = new.challenge_id
WHEN MATCHED AND (new.last_seen, new.kafka_offset, new.kafka_partition) > (kept.last_seen, kept.kafka_offset, kept.kafka_partition)
THEN UPDATE SET
    name = new.name,
    description = new.description,
    split_title = new.split_title,
    is_commerce = new.is_commerce,
    first_seen = least(kept.first_seen, new.first_seen),
    last_seen = new.last_seen,
    kafka_partition = new.kafka_partition,
    kafka_offset = new.kafka_offset
WHEN MATCHED AND new.first_seen < kept.first_seen
THEN UPDATE SET first_seen = new.first_seen
WHEN NOT MATCHED
THEN INSERT (
    challenge_id, name, description, split_title, is_commerce, first_seen, last_seen, kafka_partition, kafka_offset
) VALUES (
    new.challenge_id, new.name, new.description, new.split_title, new.is_commerce, new.first_seen, new.last_seen,
    new.kafka_partition, new.kafka_offset
)
