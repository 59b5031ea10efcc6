"""Kafka to archive and Kafka to alerts: two supervised Spark queries, each with its own checkpoint."""
