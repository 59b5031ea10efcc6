"""The two queries as the streaming process runs them, each with what follows its batches."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from alerts.watchlist import WatchedPhrases
from archive.table import create_archive
from core.errors import CheckpointError
from core.settings import Settings
from streaming import archive_query as archive
from streaming import detect_query as detect
from streaming.checkpoint_files import checkpoint_files
from streaming.checkpoints import checkpoint_of, set_detection_checkpoint_aside
from streaming.counted_posts import FOLDER, CountedPosts
from streaming.evidence_worker import EvidenceWorker
from streaming.failures import how_to_reset
from streaming.rejects import store_rejected_records
from streaming.resume import (
    EARLIEST,
    close_expired_windows,
    is_new,
    is_of_older_version,
    offsets_of_open_windows,
    resume_counts,
)
from streaming.supervised import QuerySpec, Supervised
from streaming.supervisor import Supervisor

QUERIES = (archive.QUERY, detect.QUERY)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _StartOptions:
    """How queries start and, with `once`, end when they have drained Kafka."""

    starting_offsets: str = "earliest"
    accept_loss: bool = False
    """Whether to resume after records that Kafka deleted before they were read."""
    once: bool = False


@dataclass(frozen=True)
class _Archive:
    """The archive query; after its batches come rejected records and evidence."""

    spark: SparkSession
    settings: Settings
    options: _StartOptions
    evidence: EvidenceWorker
    checkpoint: str

    def spec(self) -> QuerySpec:
        topics = [self.settings.posts_topic, self.settings.rejected_topic]
        return QuerySpec(archive.QUERY, topics, self.start, after_batch=self.after_batch)

    def start(self) -> StreamingQuery:
        return archive.start_archive(
            self.spark,
            self.settings,
            checkpoint=self.checkpoint,
            accept_loss=self.options.accept_loss,
            once=self.options.once,
        )

    def after_batch(self) -> None:
        rejected = store_rejected_records(self.spark, self.settings)
        if rejected:
            log.warning("%d records rejected; see the table rejected_records", rejected)
        self.evidence.archived()


@dataclass(frozen=True)
class _Detection:
    """The detect query; it is outdated when the watched phrases have changed."""

    spark: SparkSession
    settings: Settings
    options: _StartOptions
    phrases: WatchedPhrases
    checkpoint: str
    counted: CountedPosts

    def spec(self) -> QuerySpec:
        return QuerySpec(
            detect.QUERY,
            [self.settings.posts_topic],
            self.start,
            measures_of=self.counted.measures_of,
            is_outdated=self.phrases.changed,
        )

    def start(self) -> StreamingQuery:
        self._leave_older_checkpoint()
        starting_offsets = self.options.starting_offsets
        if is_new(self.spark, self.checkpoint):
            close_expired_windows(self.settings)
            self.counted.begin()
            if starting_offsets == EARLIEST:
                starting_offsets = offsets_of_open_windows(self.settings)
        else:
            resume_counts(self.spark, self.settings, self.counted, checkpoint=self.checkpoint)
        return detect.start_detect(
            self.spark,
            self.settings,
            checkpoint=self.checkpoint,
            counted=self.counted,
            starting_offsets=starting_offsets,
            phrases=self.phrases.take(),
            accept_loss=self.options.accept_loss,
            once=self.options.once,
        )

    def _leave_older_checkpoint(self) -> None:
        """Set a checkpoint of an older version aside; the open windows are counted again from Kafka."""
        if not is_of_older_version(self.spark, self.checkpoint):
            return
        if "://" in self.settings.checkpoint_dir:
            raise CheckpointError(
                "its checkpoint is an older version's, whose counts this version cannot continue. "
                f"{how_to_reset(self.settings, detect.QUERY)}"
            )
        log.warning("detect: a new checkpoint takes the place of an older version's")
        set_detection_checkpoint_aside(self.settings)


def supervised_queries(
    spark: SparkSession,
    settings: Settings,
    names: Sequence[str],
    evidence: EvidenceWorker,
    *,
    starting_offsets: str = "earliest",
    accept_loss: bool = False,
    once: bool = False,
) -> list[Supervised]:
    """Return the queries in `names`, not started yet; with `once` they end when they have drained Kafka.

    With `accept_loss` they resume after records that Kafka deleted before they were read.
    """
    create_archive(spark)
    options = _StartOptions(starting_offsets, accept_loss, once)
    specs = [
        _Archive(spark, settings, options, evidence, checkpoint_of(settings, archive.QUERY)).spec(),
        _detection(spark, settings, options).spec(),
    ]
    return [Supervised(spec) for spec in specs if spec.name in names]


def _detection(spark: SparkSession, settings: Settings, options: _StartOptions) -> _Detection:
    checkpoint = checkpoint_of(settings, detect.QUERY)
    counted = CountedPosts(checkpoint_files(spark, checkpoint, FOLDER))
    return _Detection(spark, settings, options, WatchedPhrases(settings), checkpoint, counted)


def drain(
    spark: SparkSession,
    settings: Settings,
    names: Sequence[str] = QUERIES,
    *,
    starting_offsets: str = "earliest",
    accept_loss: bool = False,
) -> None:
    """Drain Kafka through the queries in `names`, in a session with `streaming.session.query_options`."""
    evidence = EvidenceWorker(settings)
    queries = supervised_queries(
        spark,
        settings,
        names,
        evidence,
        starting_offsets=starting_offsets,
        accept_loss=accept_loss,
        once=True,
    )
    Supervisor(settings, queries).drain()
    if archive.QUERY in names:
        evidence.store_all()
