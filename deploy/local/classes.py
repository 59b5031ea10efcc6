"""`python -m deploy.local.classes`: archive the classes that Spark loads, which halves its later start-ups.

Java's class data sharing (JEP 350): the classes that one run has loaded are stored in a file that later runs
map into their memory. Java checks that Java and class path are the same, and otherwise ignores the file. This
run uses the parts of Spark, Iceberg, Kafka and S3 that the programs use, as far as they need no server;
`archive.session` passes the file to Java.
"""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import SparkContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from archive.session import CLASS_ARCHIVE, class_path
from core.keywords import CATALOG_PROPERTIES, keywords
from deploy.local.layout import layout_for

EXIT_SECONDS = 120
NOWHERE = "http://127.0.0.1:1"
JAVA_OPTIONS = "-XX:+UseParallelGC -XX:TieredStopAtLevel=1 -Xlog:cds*=off"


def main() -> None:
    """Write the archive again."""
    unfinished = CLASS_ARCHIVE.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="groundswell-") as folder:
        spark = _session(folder, f'{JAVA_OPTIONS} "-XX:ArchiveClassesAtExit={unfinished}"')
        _use_spark(spark, folder)
        _use_iceberg(spark)
        _use_clients(spark)
        java = SparkContext._gateway.proc  # type: ignore[union-attr]
        spark.stop()
        # It writes while it ends, and it ends with its standard input.
        java.stdin.close()
        java.wait(EXIT_SECONDS)
    unfinished.replace(CLASS_ARCHIVE)


def _session(folder: str, java_options: str) -> SparkSession:
    options = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraClassPath": class_path(str(layout_for().jars / "spark")),
        "spark.driver.extraJavaOptions": java_options,
        "spark.local.dir": folder,
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": Path(folder, "warehouse").as_uri(),
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        **CATALOG_PROPERTIES,
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hadoop",
        "spark.sql.catalog.lake.warehouse": Path(folder, "lake").as_uri(),
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _use_spark(spark: SparkSession, folder: str) -> None:
    """A query, a file and a stream with state."""
    moment = F.current_timestamp().alias("at")
    numbers = spark.range(1_000).select(
        (F.col("id") % 7).alias("key"), F.to_json(F.struct("id")).alias("value"), moment
    )
    read = numbers.select(
        "key", F.from_json("value", "id bigint").alias("read"), F.explode(F.split("value", ":")).alias("word")
    )
    counted = (
        read.join(numbers.select("key").distinct(), "key")
        .groupBy("key")
        .agg(F.count("*"), F.max("read.id"), F.collect_set("word"))
    )
    counted.orderBy("key").collect()
    numbers.select(F.size(keywords(F.col("value")))).distinct().collect()
    numbers.write.parquet(f"{folder}/numbers")
    spark.read.parquet(f"{folder}/numbers").createOrReplaceTempView("numbers")
    spark.sql("SELECT key, row_number() OVER (PARTITION BY key ORDER BY at) AS place FROM numbers").toPandas()
    windows = (
        spark.readStream.schema("key bigint, at timestamp")
        .parquet(f"{folder}/numbers")
        .withWatermark("at", "1 minute")
        .dropDuplicatesWithinWatermark(["key"])
        .groupBy(F.window("at", "15 minutes"))
        .count()
    )
    sink = (
        windows.writeStream.outputMode("update")
        .option("checkpointLocation", f"{folder}/checkpoint")
        .trigger(availableNow=True)
    )
    sink.foreachBatch(
        lambda batch, _: batch.write.format("noop").mode("append").save()
    ).start().awaitTermination()


def _use_iceberg(spark: SparkSession) -> None:
    """A table, a commit, a query."""
    spark.sql(
        "CREATE TABLE lake.a.posts (value binary, at timestamp) USING iceberg PARTITIONED BY (days(at))"
    )
    spark.range(100).select(F.lit(b"{}").alias("value"), F.current_timestamp().alias("at")).writeTo(
        "lake.a.posts"
    ).append()
    spark.table("lake.a.posts").where(F.col("at") > "2026-01-01").groupBy("value").count().collect()
    spark.table("lake.a.posts.files").collect()


def _use_clients(spark: SparkSession) -> None:
    """Clients of S3 and Kafka, of servers that are not there."""
    java: Any = spark._jvm
    io = java.org.apache.iceberg.aws.s3.S3FileIO()
    options = {
        "client.region": "us-east-1",
        "s3.endpoint": NOWHERE,
        "s3.path-style-access": "true",
        "s3.retry.num-retries": "0",
        "s3.access-key-id": "none",
        "s3.secret-access-key": "none",
    }
    io.initialize(options)
    with contextlib.suppress(Py4JJavaError):
        io.newInputFile("s3://none/none").exists()
    io.close()
    bytes_of = "org.apache.kafka.common.serialization.ByteArrayDeserializer"
    consumer = {
        "bootstrap.servers": NOWHERE.removeprefix("http://"),
        "key.deserializer": bytes_of,
        "value.deserializer": bytes_of,
    }
    java.org.apache.kafka.clients.consumer.KafkaConsumer(consumer).close()
    java.org.apache.kafka.clients.admin.AdminClient.create(consumer).close()
    java.org.postgresql.Driver()
    spark.readStream.format("kafka").option("kafka.bootstrap.servers", "127.0.0.1:1").option(
        "subscribe", "none"
    ).load()


if __name__ == "__main__":
    main()
