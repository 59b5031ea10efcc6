"""All settings as one typed object, read once from the environment at a program's entry and passed down.

Every field is the environment variable GROUNDSWELL_<FIELD> in capitals; `settings.example.env` lists them all.
"""

from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from core.errors import SettingsError
from core.kafka_options import kafka_python_options

ENV_PREFIX = "GROUNDSWELL_"


class Settings(BaseSettings):
    """Endpoints, names and knobs; the same object on one machine and on a cluster."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", frozen=True)

    # Kafka
    kafka_bootstrap_servers: str = Field(description="host:port[,host:port...] of the brokers")
    kafka_options: dict[str, str] = Field(
        default={},
        repr=False,
        description='further client properties by their Java names as JSON, e.g. {"security.protocol": "SASL_SSL"}',
    )
    posts_topic: str = Field(default="tiktok.posts", description="topic of the posts")
    rejected_topic: str = Field(
        default="tiktok.posts.rejected", description="topic of lines that are no post"
    )

    # Producer
    producer_state_dir: str = Field(
        default=".local/producer", description="folder of the files by which a stopped replay goes on"
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
        description="PEM file of the authority that signed the server's certificate; empty: libpq's and JDBC's own places",
    )

    # Archive: Iceberg on S3
    s3_bucket: str = Field(description="bucket of the archive")
    s3_prefix: str = Field(
        default="warehouse", description="key prefix of the Iceberg warehouse in the bucket"
    )
    s3_endpoint: str | None = Field(
        default=None, description="URL of an S3 server other than AWS; path-style access is then used"
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
        description="jdbc: JDBC URL (default: database `lake` on the Postgres server above); rest: the catalog's URL",
    )

    # Spark
    spark_master: str | None = Field(
        default="local[2]", description="Spark master; empty: what spark-submit says"
    )
    spark_jars_dir: str | None = Field(
        default=None, description="folder of the Java archives; empty: already on Spark's class path"
    )
    spark_driver_memory: str | None = Field(
        default=None,
        description="heap of the Spark driver; empty: 2g, in the streaming process a quarter of the machine's memory if more",
    )
    spark_local_dir: str | None = Field(default=None, description="folder for Spark's scratch files")
    shuffle_partitions: int = Field(
        default=2, ge=1, description="shuffle partitions of the stream; frozen in a checkpoint"
    )

    # Streaming
    checkpoint_dir: str = Field(
        default="checkpoints", description="folder or URI of the checkpoints: local disk or HDFS, never S3"
    )
    state_store: str = Field(
        default="hdfs",
        pattern="^(hdfs|rocksdb)$",
        description="hdfs: state on the heap, fastest; rocksdb: bounded memory",
    )
    max_offsets_per_trigger: int = Field(default=100_000, ge=1, description="records a batch takes at most")
    detect_trigger_seconds: float = Field(
        default=0.25, ge=0, description="shortest time between two batches of detection"
    )
    archive_trigger_seconds: float = Field(
        default=30, ge=0, description="time between two commits to the archive"
    )
    lateness_minutes: int = Field(default=15, ge=0, description="how late a post may come and still count")
    future_minutes: int = Field(default=5, ge=0, description="how far event time may lie after Kafka's time")
    idle_seconds: float = Field(
        default=15, gt=0, description="quiet time, lag 0, after which the wall clock closes windows"
    )

    # Detection
    threshold: float = Field(
        default=6.0, ge=4.25, le=20, description="score from which a window is anomalous"
    )
    alerts_per_day: float | None = Field(
        default=None,
        gt=0,
        description="budget of alerts a day for all words: the daily batch then sets the threshold; empty: none",
    )
    watched_alerts_per_day: float | None = Field(
        default=None,
        gt=0,
        description="the same for all watched words together that have no threshold of their own; empty: none",
    )
    min_posts: int = Field(default=10, ge=5, description="posts in a window below which nothing alerts")
    cool_down_windows: int = Field(
        default=16, ge=0, description="windows after an opening before the same keyword opens again"
    )
    quiet_windows: int = Field(
        default=4, ge=1, description="quiet windows in a row after which an alert is resolved"
    )

    # Alerts for the operator
    operator_restarts: int = Field(
        default=1,
        ge=1,
        description="restarts of a query within 15 minutes from which the operator is alerted",
    )
    operator_lag_records: int = Field(
        default=100_000, ge=1, description="records a query is behind from which the operator is alerted"
    )
    operator_rejected_share: float = Field(
        default=0.05,
        gt=0,
        le=1,
        description="share of the last hour's records that cannot be used from which the operator is alerted",
    )
    operator_disk_share: float = Field(
        default=0.9,
        gt=0,
        le=1,
        description="share of a disk (checkpoints, Spark's scratch) in use from which the operator is alerted",
    )
    operator_statistics_days: float = Field(
        default=2,
        gt=0,
        description="days from the last complete day to what detection is at from which the operator is alerted",
    )
    operator_stalled_seconds: float = Field(
        default=120,
        gt=0,
        description="seconds without news of a query after which status and metrics call the stream silent",
    )

    # Batch
    statistics_keep_days: int = Field(
        default=14, ge=2, description="days of statistics (as_of) that are kept"
    )
    keywords_keep_days: int = Field(
        default=14, ge=8, description="newest days of post_keywords that are kept; growth needs eight"
    )
    history_keep_days: int = Field(
        default=366,
        ge=8,
        description="newest days of post_stats, author_stats and post_hashtags that are kept",
    )
    trends_keep_ranks: int = Field(
        default=10_000,
        ge=1,
        description="rows that a day keeps of each kind in daily_trends, those with most posts",
    )
    batch_quick_start: bool = Field(
        default=True,
        description="compile little, which is best up to some 200,000 posts a day; false: compile well, for larger days",
    )
    batch_partitions: int = Field(
        default=2,
        ge=1,
        description="shuffle partitions of the batch; about one for each core and 200 MB of a day",
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
        """Name of the Iceberg catalog's database, where the catalog is one of JDBC."""
        return urlsplit(self.catalog_jdbc_url.removeprefix("jdbc:")).path.lstrip("/")

    @property
    def postgres_jdbc_url(self) -> str:
        """JDBC URL of the tables' database."""
        return self._jdbc_url(self.postgres_database)

    def _jdbc_url(self, database: str) -> str:
        return f"jdbc:postgresql://{self.postgres_host}:{self.postgres_port}/{database}?{urlencode(self.postgres_tls_arguments())}"

    def postgres_tls_arguments(self) -> dict[str, str]:
        """How the connection to Postgres is encrypted and checked, by the names that libpq and JDBC share."""
        authority = {"sslrootcert": self.postgres_sslrootcert} if self.postgres_sslrootcert else {}
        return {"sslmode": self.postgres_sslmode, **authority}

    def postgres_connect_arguments(self) -> dict[str, Any]:
        """Keyword arguments for psycopg2.connect; holds the password, so never print it."""
        return {
            "host": self.postgres_host,
            "port": self.postgres_port,
            "dbname": self.postgres_database,
            "user": self.postgres_user,
            "password": self.postgres_password.get_secret_value(),
            **self.postgres_tls_arguments(),
            # Compiling a query takes longer than ours run.
            "options": "-c timezone=UTC -c jit=off",
        }

    def s3_client_arguments(self) -> dict[str, Any]:
        """Keyword arguments for boto3.client without its `config`; without keys boto3 follows AWS's default chain. Never print it."""
        secret = self.s3_secret_access_key
        return {
            "service_name": "s3",
            "endpoint_url": self.s3_endpoint,
            "region_name": self.s3_region,
            "aws_access_key_id": self.s3_access_key_id,
            "aws_secret_access_key": secret.get_secret_value() if secret else None,
        }

    def kafka_python_arguments(self) -> dict[str, str | int | bool]:
        """Keyword arguments that every kafka-python client takes: the servers and the further properties; raises SettingsError."""
        return {"bootstrap_servers": self.kafka_bootstrap_servers, **kafka_python_options(self.kafka_options)}


def read_settings(**changes: object) -> Settings:
    """The settings of this process's environment, with `changes` by field name; raises SettingsError."""
    try:
        return Settings(**changes)  # type: ignore[arg-type]
    except UnreadableSetting as error:
        raise SettingsError(
            f'A setting cannot be read: {error}. It must be JSON, e.g. {{"security.protocol": "SASL_SSL"}}.'
        ) from error
    except ValidationError as error:
        problems = "; ".join(
            f"{ENV_PREFIX}{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError(
            f"Settings are missing or wrong: {problems}. Set these variables, or `source .local/env` after `make up`."
        ) from error
