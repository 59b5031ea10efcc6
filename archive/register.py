"""Restores the archive's entry in the catalog, which points to its newest metadata, from S3 after a loss."""

from pyspark.sql import SparkSession

from archive.storage import s3_client
from core.catalog import CATALOG, NAMESPACE, TABLE
from core.errors import NotReadyError
from core.settings import Settings
from sql.lake import metadata_location


def register_archive(spark: SparkSession, settings: Settings) -> str | None:
    """Point the catalog to the archive's newest metadata on S3; return its URI, or None if nothing changed.

    Neither stream nor batch may be running. Raises NotReadyError if there is no archive on S3.
    """
    newest = newest_metadata(settings)
    if newest is None:
        raise NotReadyError(
            f"There is no archive in {settings.warehouse}. "
            "Correct GROUNDSWELL_S3_BUCKET and GROUNDSWELL_S3_PREFIX, "
            "or start the stream (groundswell stream), which creates one."
        )
    known = metadata_location(settings)
    if known == newest:
        return None
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.{NAMESPACE}")
    jvm = spark._jvm
    assert jvm is not None
    # Not with SQL: DROP TABLE reads the metadata that the entry points to, which upkeep may have deleted.
    catalog = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergCatalog(spark._jsparkSession, CATALOG)
    table = jvm.org.apache.iceberg.catalog.TableIdentifier.parse(f"{NAMESPACE}.{TABLE}")
    if known:
        purge = False  # removes only the entry; S3 is not touched
        catalog.dropTable(table, purge)
    catalog.registerTable(table, newest)
    return newest


def newest_metadata(settings: Settings) -> str | None:
    """Return the URI of the archive's newest metadata file on S3, or None if there is none.

    Iceberg numbers them (https://iceberg.apache.org/spec/#file-system-tables): `00042-<uuid>.metadata.json`
    follows 00041. A killed commit can leave two with the same number; the later one wins: either both have
    the same records, or one of them has no new ones.
    """
    candidates = [
        (int(name.partition("-")[0]), content["LastModified"], content["Key"])
        for folder in (NAMESPACE, f"{NAMESPACE}.db")  # AWS Glue's name of a namespace's folder ends in .db
        for page in s3_client(settings)
        .get_paginator("list_objects_v2")
        .paginate(Bucket=settings.s3_bucket, Prefix=f"{settings.s3_prefix}/{folder}/{TABLE}/metadata/")
        for content in page.get("Contents", [])
        if (name := content["Key"].rpartition("/")[2]).endswith(".metadata.json")
    ]
    return f"s3://{settings.s3_bucket}/{max(candidates)[2]}" if candidates else None
