"""Send posts from files to Kafka, and write posts of a simulated world to files."""
