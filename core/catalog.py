"""The archive's Iceberg catalog: the table's name, and how Spark, pyiceberg and DuckDB reach it."""

from urllib.parse import quote

from core.settings import Settings

CATALOG, NAMESPACE, TABLE = "lake", "tiktok", "raw_posts"
RAW_POSTS = f"{CATALOG}.{NAMESPACE}.{TABLE}"
IMPORTED = "partition < 0"
"""SQL condition for imported rows: Kafka numbers its partitions from 0, imports use negative numbers."""
FROM_KAFKA = "partition >= 0"
S3_RETRIES = f"spark.sql.catalog.{CATALOG}.s3.retry.num-retries"
"""Spark property: how often a request to S3 is retried."""
COMMAND_S3_RETRIES = "5"
"""For commands: outlasts half a minute without S3. The stream, which nobody restarts, retries for ten."""


def spark_properties(settings: Settings) -> dict[str, str]:
    """Return the Spark properties that define the Iceberg catalog `lake`.

    They can be set on a running session. They contain passwords.

    Format: https://iceberg.apache.org/docs/latest/spark-configuration/
    """
    prefix = f"spark.sql.catalog.{CATALOG}"
    properties = {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.warehouse": settings.warehouse,
        f"{prefix}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{prefix}.client.region": settings.s3_region,
        S3_RETRIES: "32",
    }
    if settings.catalog_type == "jdbc":
        properties |= {
            f"{prefix}.type": "jdbc",
            f"{prefix}.uri": settings.catalog_jdbc_url,
            f"{prefix}.jdbc.user": settings.postgres_user,
            f"{prefix}.jdbc.password": settings.postgres_password.get_secret_value(),
            f"{prefix}.jdbc.schema-version": "V1",
        }
    else:
        properties[f"{prefix}.type"] = settings.catalog_type
        if settings.catalog_uri:
            properties[f"{prefix}.uri"] = settings.catalog_uri
    if settings.s3_endpoint:
        properties |= {
            f"{prefix}.s3.endpoint": settings.s3_endpoint,
            f"{prefix}.s3.path-style-access": "true",
        }
    if settings.s3_access_key_id and settings.s3_secret_access_key:
        properties |= {
            f"{prefix}.s3.access-key-id": settings.s3_access_key_id,
            f"{prefix}.s3.secret-access-key": settings.s3_secret_access_key.get_secret_value(),
        }
    return properties


def pyiceberg_properties(settings: Settings) -> dict[str, str]:
    """Return the properties for `pyiceberg.catalog.load_catalog(CATALOG, ...)`; they contain passwords.

    Format: https://py.iceberg.apache.org/configuration/
    """
    secret = settings.s3_secret_access_key
    properties: dict[str, str | None] = {
        "warehouse": settings.warehouse,
        "s3.region": settings.s3_region,
        "s3.endpoint": settings.s3_endpoint,
        "s3.access-key-id": settings.s3_access_key_id,
        "s3.secret-access-key": secret.get_secret_value() if secret else None,
    }
    if settings.catalog_type == "jdbc":
        user, password = (
            quote(text, safe="")
            for text in (settings.postgres_user, settings.postgres_password.get_secret_value())
        )
        address = settings.catalog_jdbc_url.removeprefix("jdbc:postgresql://")
        properties |= {
            "type": "sql",
            "uri": f"postgresql+psycopg2://{user}:{password}@{address}",
            "init_catalog_tables": "false",
        }
    else:
        properties |= {"type": settings.catalog_type, "uri": settings.catalog_uri}
    return {name: value for name, value in properties.items() if value}


def duckdb_secret(
    settings: Settings, *, key_id: str, secret: str, session_token: str | None
) -> dict[str, str | bool]:
    """Return the options of DuckDB's CREATE SECRET for the bucket, by name; values are not quoted yet.

    Format: https://duckdb.org/docs/stable/core_extensions/httpfs/s3api
    """
    options: dict[str, str | bool] = {"KEY_ID": key_id, "SECRET": secret, "REGION": settings.s3_region}
    if session_token:
        options["SESSION_TOKEN"] = session_token
    if settings.s3_endpoint:
        scheme, _, address = settings.s3_endpoint.rpartition("://")
        options |= {"ENDPOINT": address, "URL_STYLE": "path", "USE_SSL": scheme == "https"}
    return options
