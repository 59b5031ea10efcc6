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
    """Return all records of `topics`, one row each.

    Columns: value and key (binary), topic, partition, offset, kafka_time.

    `starting_offsets` (earliest, latest or Spark's JSON) applies only to a new checkpoint; an existing one
    knows where to resume. Records that Kafka deleted before they were read stop the query with an error,
    unless `accept_loss`: the query then resumes after them.
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
