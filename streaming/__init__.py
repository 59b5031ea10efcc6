"""Kafka to the archive and Kafka to alerts: two Spark queries with a checkpoint each, under one supervisor."""
