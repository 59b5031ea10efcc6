"""The archive, an Iceberg table on S3: its Spark session, its table, its days, its upkeep."""
