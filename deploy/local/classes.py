"""`python -m deploy.local.classes`: Java's archive of the classes that Spark needs, with which each later start takes half the time.

Java's own class data sharing (JEP 350): the classes that one run has loaded are kept ready-made in a file, which later runs map
into their memory. Java checks that it is the same Java and the same Spark, and otherwise goes on without the file. Here a run
uses of Spark what the programs use, as far as it needs no server; `core.spark` names the file to Java.
"""

import tempfile
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from core.spark import CLASS_ARCHIVE

EXIT_SECONDS = 120
JAVA_OPTIONS = "-XX:+UseParallelGC -XX:TieredStopAtLevel=1 -Xlog:cds*=off"


def main() -> None:
    """Write the archive anew."""
    unfinished = CLASS_ARCHIVE.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="groundswell-") as folder:
        spark = (
            SparkSession.builder.master("local[2]")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .config(
                "spark.driver.extraJavaOptions",
                f'-XX:+UseParallelGC -XX:TieredStopAtLevel=1 -Xlog:cds*=off "-XX:ArchiveClassesAtExit={unfinished}"',
            )
            .config("spark.local.dir", folder)
            .config("spark.ui.enabled", "false")
            .config("spark.sql.warehouse.dir", Path(folder, "warehouse").as_uri())
            .config("spark.sql.shuffle.partitions", "2")
            .getOrCreate()
        )
        _use(spark, folder)
        java = SparkContext._gateway.proc  # type: ignore[union-attr]
        spark.stop()
        # It writes while it ends, and it ends with its standard input.
        java.stdin.close()
        java.wait(EXIT_SECONDS)
    unfinished.replace(CLASS_ARCHIVE)


def _use(spark: SparkSession, folder: str) -> None:
    """A query, a file and a stream with state."""
    numbers = spark.range(1_000).select(
        (F.col("id") % 7).alias("key"), F.to_json(F.struct("id")).alias("value"), F.current_timestamp().alias("at")
    )
    read = numbers.select("key", "at", F.from_json("value", "id bigint").alias("read"), F.explode(F.split("value", ":")).alias("word"))
    counted = read.join(numbers.select("key").distinct(), "key").groupBy("key").agg(F.count("*"), F.max("read.id"), F.collect_set("word"))
    counted.orderBy("key").collect()
    numbers.write.parquet(f"{folder}/numbers")
    spark.read.parquet(f"{folder}/numbers").createOrReplaceTempView("numbers")
    spark.sql("SELECT key, row_number() OVER (PARTITION BY key ORDER BY at) AS place FROM numbers").toPandas()
    windows = (
        spark.readStream.schema("key bigint, at timestamp").parquet(f"{folder}/numbers")
        .withWatermark("at", "1 minute").dropDuplicatesWithinWatermark(["key"])
        .groupBy(F.window("at", "15 minutes")).count()
    )  # fmt: skip
    sink = windows.writeStream.outputMode("update").option("checkpointLocation", f"{folder}/checkpoint").trigger(availableNow=True)
    sink.foreachBatch(lambda batch, _: batch.write.format("noop").mode("append").save()).start().awaitTermination()


if __name__ == "__main__":
    main()
