"""All settings as one typed object, read from the environment once at a program's entry point.

Field `x` is the environment variable GROUNDSWELL_X; `settings.example.env` lists them all.
"""

import os
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from core.errors import SettingsError
from core.kafka_options import kafka_python_options, librdkafka_options

ENV_PREFIX = "GROUNDSWELL_"
RENAMED_SETTINGS = {
    "FLOOR": "MIN_POSTS",
    "OPERATOR_SILENCE_SECONDS": "OPERATOR_STALLED_SECONDS",
}
"""Old names and their replacements, without `ENV_PREFIX`. Setting an old name is an error."""
STARTED_BY_SPARK_SUBMIT = "PYSPARK_GATEWAY_PORT"
"""A variable that spark-submit sets for the Python program that it starts."""


class Settings(BaseSettings):
    """Endpoints, names and parameters; the same object on one machine and on a cluster."""

    # A compose file gives a variable that is not filled in as empty: it counts as not set.
    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    # Kafka
    kafka_bootstrap_servers: str = Field(description="host:port[,host:port...] of the brokers")
    kafka_options: dict[str, str] = Field(
        default={},
        repr=False,
        description='more client properties as JSON, with Java names, e.g. {"security.protocol": "SASL_SSL"}',
    )
    posts_topic: str = Field(default="tiktok.posts", description="topic of posts")
    rejected_topic: str = Field(
        default="tiktok.posts.rejected", description="topic of lines that are not posts"
    )

    # Producer
    producer_state_dir: str = Field(
        default=".local/producer", description="folder of the files from which a stopped replay resumes"
    )

    # Postgres
    postgres_host: str = Field(description="host of the database server")
    postgres_port: int = Field(default=5432, ge=1, le=65535, description="port of the database server")
    postgres_database: str = Field(default="groundswell", description="database of the tables")
    postgres_user: str = Field(default="groundswell", description="role that owns the tables")
    postgres_password: SecretStr = Field(description="password of that role")
    postgres_sslmode: str = Field(
        default="prefer",
        pattern="^(disable|allow|prefer|require|verify-ca|verify-full)$",
        description="libpq's sslmode, for tables and catalog",
    )
    postgres_sslrootcert: str | None = Field(
        default=None,
        description="PEM file of the CA that signed the server's certificate; empty: libpq's and JDBC's own",
    )

    # Archive: Iceberg on S3
    s3_bucket: str = Field(description="bucket of the archive")
    s3_prefix: str = Field(
        default="warehouse", description="key prefix of the Iceberg warehouse in the bucket"
    )
    s3_endpoint: str | None = Field(
        default=None, description="URL of an S3 server other than AWS; implies path-style access"
    )
    s3_region: str = Field(default="us-east-1", description="region of the bucket")
    s3_access_key_id: str | None = Field(default=None, description="empty: the AWS default credential chain")
    s3_secret_access_key: SecretStr | None = Field(
        default=None, description="empty: the AWS default credential chain"
    )
    catalog_type: str = Field(
        default="jdbc", pattern="^(jdbc|glue|rest)$", description="Iceberg catalog: jdbc, glue or rest"
    )
    catalog_uri: str | None = Field(
        default=None,
        description="jdbc: JDBC URL (default: database `lake` on the Postgres server above); rest: its URL",
    )

    # Spark
    spark_master: str | None = Field(
        default="local[2]", description="Spark master; under spark-submit the default is the one given there"
    )
    spark_jars_dir: str | None = Field(
        default=None, description="folder of the jars; empty: already on Spark's class path"
    )
    spark_driver_memory: str | None = Field(default=None, description="heap of the Spark driver; empty: 2g")
    spark_local_dir: str | None = Field(default=None, description="folder of scratch files, for evidence too")
    shuffle_partitions: int = Field(
        default=2, ge=1, description="shuffle partitions of the stream's jobs on the archive"
    )

    # Streaming
    checkpoint_dir: str = Field(
        default="checkpoints", description="folder or URI of the checkpoints: local disk or HDFS, not S3"
    )
    max_offsets_per_trigger: int = Field(default=100_000, ge=1, description="maximum records per batch")
    detect_trigger_seconds: float = Field(
        default=0.25, ge=0, description="minimum time between two batches of detection"
    )
    archive_trigger_seconds: float = Field(
        default=30, ge=0, description="time between two commits to the archive"
    )
    lateness_minutes: int = Field(
        default=15, ge=0, description="how late a post may arrive and still be counted"
    )
    future_minutes: int = Field(
        default=5, ge=0, description="how far event time may be ahead of Kafka's time"
    )
    idle_seconds: float = Field(
        default=15, gt=0, description="idle time without lag after which the wall clock closes windows"
    )

    # Detection
    threshold: float = Field(default=6.0, ge=4.25, le=20, description="score at which a window is an anomaly")
    alerts_per_day: float | None = Field(
        default=None,
        gt=0,
        description="alerts per day for all keywords: the daily batch then sets the threshold; empty: none",
    )
    watched_alerts_per_day: float | None = Field(
        default=None,
        gt=0,
        description="the same for all watched keywords without a threshold of their own; empty: none",
    )
    min_posts: int = Field(default=10, ge=5, description="minimum posts in a window for an alert")
    cool_down_windows: int = Field(
        default=16, ge=0, description="windows after an alert opens before its keyword can open another"
    )
    quiet_windows: int = Field(
        default=4, ge=1, description="consecutive quiet windows after which an alert is resolved"
    )

    # Operator alerts
    operator_restarts: int = Field(
        default=1, ge=1, description="operator alert: restarts of a query within 15 minutes"
    )
    operator_lag_records: int = Field(default=100_000, ge=1, description="operator alert: records of lag")
    operator_rejected_share: float = Field(
        default=0.05, gt=0, le=1, description="operator alert: share of rejected records in the last hour"
    )
    operator_disk_share: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="operator alert: used share of a disk (checkpoints, Spark's scratch files)",
    )
    operator_statistics_days: float = Field(
        default=2,
        gt=0,
        description="operator alert: days between the last complete day and the newest event in detection",
    )
    operator_stalled_seconds: float = Field(
        default=120,
        gt=0,
        description="seconds without progress of a query after which the stream counts as stalled",
    )

    # Batch
    statistics_keep_days: int = Field(default=14, ge=2, description="days of statistics (as_of) to keep")
    keywords_keep_days: int = Field(
        default=14, ge=8, description="newest days of post_keywords to keep; growth needs eight"
    )
    history_keep_days: int = Field(
        default=366,
        ge=8,
        description="newest days of post_stats, author_stats and post_hashtags to keep",
    )
    trends_keep_ranks: int = Field(
        default=10_000,
        ge=1,
        description="rows to keep per day and kind in daily_trends, those with most posts",
    )
    batch_quick_start: bool = Field(
        default=True,
        description="less JIT compilation, best up to some 200,000 posts a day; false: full, for more",
    )
    batch_partitions: int = Field(
        default=2,
        ge=1,
        description="shuffle partitions of the batch; about one per core and per 200 MB of a day",
    )

    # Page
    web_address: str = Field(default="127.0.0.1", description="loopback address on which the page listens")
    web_port: int = Field(default=8490, ge=0, le=65535, description="port of the page; 0: any free one")
    web_url: str | None = Field(
        default=None, description="address of the page without a / at its end, for links; empty: no links"
    )
    web_hosts: list[str] = Field(
        default=[],
        description='host names, as JSON, by which a proxy reaches the page, e.g. ["alerts.example.com"]',
    )

    @property
    def warehouse(self) -> str:
        """URI of the Iceberg warehouse."""
        return f"s3://{self.s3_bucket}/{self.s3_prefix}"

    @property
    def catalog_jdbc_url(self) -> str:
        """JDBC URL of the Iceberg catalog's database."""
        return self.catalog_uri or self._jdbc_url("lake")

    @property
    def catalog_database(self) -> str:
        """Name of the Iceberg catalog's database, for a JDBC catalog."""
        return urlsplit(self.catalog_jdbc_url.removeprefix("jdbc:")).path.lstrip("/")

    @property
    def postgres_jdbc_url(self) -> str:
        """JDBC URL of the tables' database."""
        return self._jdbc_url(self.postgres_database)

    def _jdbc_url(self, database: str) -> str:
        server = f"{self.postgres_host}:{self.postgres_port}"
        return f"jdbc:postgresql://{server}/{database}?{urlencode(self.postgres_tls_arguments())}"

    def postgres_tls_arguments(self) -> dict[str, str]:
        """Return the TLS parameters of connections to Postgres, by the names that libpq and JDBC share."""
        authority = {"sslrootcert": self.postgres_sslrootcert} if self.postgres_sslrootcert else {}
        return {"sslmode": self.postgres_sslmode, **authority}

    def postgres_connect_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments for psycopg2.connect. They contain the password: never print them."""
        return {
            "host": self.postgres_host,
            "port": self.postgres_port,
            "dbname": self.postgres_database,
            "user": self.postgres_user,
            "password": self.postgres_password.get_secret_value(),
            **self.postgres_tls_arguments(),
            # Compiling a query takes longer than running ours.
            "options": "-c timezone=UTC -c jit=off",
        }

    def s3_client_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments for boto3.client, except `config`.

        They contain the secret: never print them. Without keys boto3 follows AWS's default credential chain.
        """
        secret = self.s3_secret_access_key
        return {
            "service_name": "s3",
            "endpoint_url": self.s3_endpoint,
            "region_name": self.s3_region,
            "aws_access_key_id": self.s3_access_key_id,
            "aws_secret_access_key": secret.get_secret_value() if secret else None,
        }

    def kafka_python_arguments(self) -> dict[str, str | int | bool]:
        """Return the keyword arguments that every kafka-python client takes; raise SettingsError."""
        return {"bootstrap_servers": self.kafka_bootstrap_servers, **kafka_python_options(self.kafka_options)}

    def librdkafka_arguments(self) -> dict[str, str]:
        """Return the properties that every librdkafka client takes; raise SettingsError."""
        return {"bootstrap.servers": self.kafka_bootstrap_servers, **librdkafka_options(self.kafka_options)}


def read_settings(**changes: object) -> Settings:
    """Return the settings from the environment, with `changes` by field name; raise SettingsError."""
    _reject_renamed()
    try:
        settings = Settings(**changes)  # type: ignore[arg-type]
        if STARTED_BY_SPARK_SUBMIT in os.environ and "spark_master" not in settings.model_fields_set:
            return settings.model_copy(update={"spark_master": None})
        return settings
    except UnreadableSetting as error:
        raise SettingsError(
            f'A setting cannot be read: {error}. It must be JSON, e.g. {{"security.protocol": "SASL_SSL"}}.'
        ) from error
    except ValidationError as error:
        problems = "; ".join(
            f"{ENV_PREFIX}{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError(
            f"Settings are missing or wrong: {problems}. "
            "Set these variables, or `source .local/env` after `make up`."
        ) from error


def _reject_renamed() -> None:
    """Raise SettingsError if the environment sets a variable by its old name."""
    renamed = [
        f"{ENV_PREFIX}{old} is now {ENV_PREFIX}{new}"
        for old, new in RENAMED_SETTINGS.items()
        if any(value and name.upper() == f"{ENV_PREFIX}{old}" for name, value in os.environ.items())
    ]
    if renamed:
        raise SettingsError(f"Settings have been renamed: {'; '.join(renamed)}. Rename these variables.")
