"""The embedded stack: set-up, Kafka, S3 and Postgres as child processes, `make run`. Set-up and preflight need no package."""
