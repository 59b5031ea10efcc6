-- Store why records were rejected, each once by its place in the archive.
INSERT INTO rejected_records (topic, partition, "offset", kafka_time, reason, record_head) VALUES %s
ON CONFLICT (topic, partition, "offset") DO NOTHING
