"""Kafka records as a streaming DataFrame, for both queries."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from core.settings import Settings


def read_records(
    spark: SparkSession,
    settings: Settings,
    *,
    topics: list[str],
    starting_offsets: str = "earliest",
    accept_loss: bool = False,
) -> DataFrame:
    """All records of `topics`, one row each: value, key (binary), topic, partition, offset, kafka_time.

    `starting_offsets` (earliest, latest or Spark's JSON) counts only for a checkpoint that is new; afterwards the
    checkpoint says where to go on. Data that Kafka has thrown away before it was read stops the query with an error,
    unless `accept_loss` says to go on behind it.
    """
    reader = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", settings.kafka_bootstrap_servers)
        .option("subscribe", ",".join(topics))
        .option("startingOffsets", starting_offsets)
        .option("maxOffsetsPerTrigger", str(settings.max_offsets_per_trigger))
        .option("failOnDataLoss", str(not accept_loss).lower())
    )
    for name, value in settings.kafka_options.items():
        reader = reader.option(f"kafka.{name}", value)
    return reader.load().select(
        "value", "key", "topic", "partition", "offset", F.col("timestamp").alias("kafka_time")
    )
