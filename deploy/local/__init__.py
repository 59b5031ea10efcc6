"""The embedded stack: set-up, Kafka, S3 and Postgres as child processes, and `make run`."""
