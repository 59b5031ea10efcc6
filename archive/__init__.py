"""The archive, an Iceberg table on S3: its Spark session, table, days, upkeep and registration."""
