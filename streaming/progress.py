"""How far the queries are: from Spark's progress reports and Kafka's end offsets to rows in Postgres."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from core.settings import Settings
from sql.connection import query as named_query
from sql.connection import transaction

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class QueryProgress:
    """How far a query is: the offsets that it reads next, and the end of each partition, at `observed_at`."""

    query: str
    next_offsets: Offsets
    end_offsets: Offsets
    observed_at: datetime

    @property
    def lag_records(self) -> int:
        """Records that Kafka holds and the query has not committed."""
        return sum(
            max(end - self.next_offsets.get(partition, 0), 0) for partition, end in self.end_offsets.items()
        )


@dataclass(frozen=True, slots=True)
class Measures:
    """What a batch of detection came to."""

    watermark: datetime | None
    """Event time up to which windows are closed with it; None for the archive query."""
    late_posts: int
    duplicate_posts: int
    state_rows: int
    """Posts and counts of keywords in the windows that are open."""
    state_bytes: int


NO_MEASURES = Measures(None, 0, 0, 0, 0)


class EndOffsets:
    """First and end offsets of partitions, from Kafka; connects on first use and again after a failure."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: KafkaConsumer | None = None

    def end_offsets(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        """Return every partition's end offset; raises kafka.errors.KafkaError if the brokers are down."""
        return self._ask(topics, KafkaConsumer.end_offsets)

    def begin_offsets(self, topics: Sequence[str]) -> dict[TopicPartition, int]:
        """Return the first offset that Kafka still holds of every partition; raises as `end_offsets` does."""
        return self._ask(topics, KafkaConsumer.beginning_offsets)

    def offsets_since(self, topics: Sequence[str], moment: datetime) -> dict[TopicPartition, int]:
        """Return the first offset from a Kafka time on, of the partitions that have one; raises likewise."""
        millis = int(moment.timestamp() * 1_000)

        def since(consumer: KafkaConsumer, partitions: list[TopicPartition]) -> Offsets:
            found = consumer.offsets_for_times(dict.fromkeys(partitions, millis))
            return {partition: at.offset for partition, at in found.items() if at is not None}

        return self._ask(topics, since)

    def _ask(
        self, topics: Sequence[str], offsets_of: Callable[[KafkaConsumer, list[TopicPartition]], Offsets]
    ) -> dict[TopicPartition, int]:
        try:
            if self._consumer is None:
                self._consumer = KafkaConsumer(
                    **self._settings.kafka_python_arguments(), request_timeout_ms=5_000
                )
            partitions = [
                TopicPartition(topic, partition)
                for topic in topics
                for partition in self._consumer.partitions_for_topic(topic) or ()
            ]
            return dict(offsets_of(self._consumer, partitions))
        except Exception:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.close(autocommit=False)


def offsets_reached(settings: Settings, query: str) -> dict[tuple[str, int], int]:
    """Return the offset after what `query` has committed, by topic and partition, as last reported."""
    with transaction(settings, application_name="groundswell progress") as cursor:
        cursor.execute(
            "SELECT topic, partition, next_offset FROM pipeline_progress WHERE query = %s", (query,)
        )
        return {(topic, partition): offset for topic, partition, offset in cursor.fetchall()}


def next_offsets(report: Mapping[str, Any]) -> dict[TopicPartition, int]:
    """Return the offsets after those that the batch of a Spark progress `report` committed."""
    offsets = report["sources"][0]["endOffset"] or {}
    return {
        TopicPartition(topic, int(partition)): offset
        for topic, partitions in offsets.items()
        for partition, offset in partitions.items()
    }


def save_progress(cursor: Cursor, progress: QueryProgress) -> None:
    """Upsert how far the query is, one row per partition."""
    rows = [
        (
            progress.query,
            partition.topic,
            partition.partition,
            progress.next_offsets.get(partition, 0),
            end,
            progress.observed_at,
        )
        for partition, end in progress.end_offsets.items()
    ]
    if rows:
        execute_values(cursor, named_query("upsert_pipeline_progress"), rows)


def save_metrics(
    cursor: Cursor,
    reports: Sequence[Mapping[str, Any]],
    *,
    lag_records: int,
    measures_of: Callable[[int], Measures],
) -> None:
    """Insert one row for each report of a batch that read anything; `measures_of` takes a batch id."""
    rows = [
        _metrics_row(report, lag_records, measures_of(report["batchId"]))
        for report in reports
        if report["numInputRows"]
    ]
    if rows:
        execute_values(cursor, named_query("insert_pipeline_metrics"), rows)


def _metrics_row(report: Mapping[str, Any], lag_records: int, measures: Measures) -> tuple[object, ...]:
    """Return a row in the column order of `insert_pipeline_metrics`."""
    return (
        datetime.fromisoformat(report["timestamp"]),
        report["name"],
        report["batchId"],
        report["numInputRows"],
        report["durationMs"].get("triggerExecution", 0),
        lag_records,
        measures.watermark,
        measures.late_posts,
        measures.duplicate_posts,
        measures.state_rows,
        measures.state_bytes,
    )


def observed_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)
