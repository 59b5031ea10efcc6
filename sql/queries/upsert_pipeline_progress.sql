-- Write how far a query is, one row per partition.
INSERT INTO pipeline_progress (query, topic, partition, next_offset, end_offset, observed_at) VALUES %s
ON CONFLICT (query, topic, partition) DO UPDATE SET
    next_offset = excluded.next_offset,
    end_offset = excluded.end_offset,
    observed_at = excluded.observed_at
