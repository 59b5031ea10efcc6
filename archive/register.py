"""The catalog's entry of the archive, which says where its newest state lies: made again from S3 after a loss or a restore."""

from pyspark.sql import SparkSession

from archive.storage import s3_client
from core.catalog import CATALOG, NAMESPACE, TABLE
from core.errors import NotReadyError
from core.settings import Settings
from sql.lake import metadata_location


def register_archive(spark: SparkSession, settings: Settings) -> str | None:
    """Let the catalog point to the newest state of the archive that lies on S3; returns its URI, None where it does already.

    The stream and the batch must not be at work. Raises NotReadyError where S3 holds no archive.
    """
    newest = newest_metadata(settings)
    if newest is None:
        raise NotReadyError(
            f"Under {settings.warehouse} there is no archive. Correct GROUNDSWELL_S3_BUCKET and GROUNDSWELL_S3_PREFIX, or start the stream "
            "(python -m streaming), which makes one."
        )
    known = metadata_location(settings)
    if known == newest:
        return None
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.{NAMESPACE}")
    jvm = spark._jvm
    assert jvm is not None
    # Not by SQL: DROP TABLE reads the state that the entry names, and upkeep may have deleted that.
    catalog = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergCatalog(spark._jsparkSession, CATALOG)
    table = jvm.org.apache.iceberg.catalog.TableIdentifier.parse(f"{NAMESPACE}.{TABLE}")
    if known:
        purge = False  # the entry alone goes; nothing on S3 is touched
        catalog.dropTable(table, purge)
    catalog.registerTable(table, newest)
    return newest


def newest_metadata(settings: Settings) -> str | None:
    """URI of the archive's newest metadata file on S3; None where there is none.

    Iceberg numbers them (https://iceberg.apache.org/spec/#file-system-tables): `00042-<uuid>.metadata.json` follows 00041. Of two with
    one number, which a commit that was killed leaves, the later is taken: both hold the same records, or one of them none that are new.
    """
    found = [
        (int(name.partition("-")[0]), content["LastModified"], content["Key"])
        for folder in (NAMESPACE, f"{NAMESPACE}.db")  # AWS Glue's name of a namespace's folder ends in .db
        for page in s3_client(settings)
        .get_paginator("list_objects_v2")
        .paginate(Bucket=settings.s3_bucket, Prefix=f"{settings.s3_prefix}/{folder}/{TABLE}/metadata/")
        for content in page.get("Contents", [])
        if (name := content["Key"].rpartition("/")[2]).endswith(".metadata.json")
    ]
    return f"s3://{settings.s3_bucket}/{max(found)[2]}" if found else None
