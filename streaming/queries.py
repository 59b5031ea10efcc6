"""The two queries as the streaming process runs them, each with what is done after its batches."""

import logging
from collections.abc import Sequence
from functools import partial

from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from alerts.watchlist import WatchedPhrases
from archive.table import create_archive
from core.settings import Settings
from streaming import archive_query as archive
from streaming import detect_query as detect
from streaming.checkpoints import checkpoint_of
from streaming.evidence_worker import EvidenceWorker
from streaming.rejects import store_rejected_records
from streaming.resume import check_counted, close_expired_windows, is_new
from streaming.supervisor import Supervised, Supervisor

QUERIES = (archive.QUERY, detect.QUERY)

log = logging.getLogger(__name__)


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
    """The queries among `names`; with `once` they take what Kafka holds when they start, and end.

    `accept_loss` lets them go on behind records that Kafka has thrown away before they were read.
    """
    create_archive(spark)
    phrases = WatchedPhrases(spark, settings)

    def after_archive() -> None:
        rejected = store_rejected_records(spark, settings)
        if rejected:
            log.warning("%d records rejected; see the table rejected_records", rejected)
        evidence.archived()

    def start_detection() -> StreamingQuery:
        checkpoint = checkpoint_of(settings, detect.QUERY)
        if is_new(spark, checkpoint):
            close_expired_windows(settings)
        else:
            check_counted(spark, settings, checkpoint=checkpoint)
        return detect.start_detect(
            spark,
            settings,
            checkpoint=checkpoint,
            starting_offsets=starting_offsets,
            phrases=phrases.take(),
            accept_loss=accept_loss,
            once=once,
        )

    supervised = [
        Supervised(
            archive.QUERY,
            [settings.posts_topic, settings.rejected_topic],
            partial(
                archive.start_archive,
                spark,
                settings,
                checkpoint=checkpoint_of(settings, archive.QUERY),
                accept_loss=accept_loss,
                once=once,
            ),
            after_batch=after_archive,
        ),
        Supervised(
            detect.QUERY,
            [settings.posts_topic],
            start_detection,
            outdated=phrases.changed,
        ),
    ]
    return [query for query in supervised if query.name in names]


def drain(
    spark: SparkSession,
    settings: Settings,
    names: Sequence[str] = QUERIES,
    *,
    starting_offsets: str = "earliest",
    accept_loss: bool = False,
) -> None:
    """Take what Kafka holds now through the queries `names`, in a session with `streaming.session.query_options`."""
    evidence = EvidenceWorker(spark, settings)
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
