"""`groundswell stream`: the archive query and the detect query until SIGTERM or Ctrl-C."""

import logging
import signal
import sys
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer
from pyspark.sql import SparkSession

from core.command_line import errors_as_sentences
from core.settings import Settings, read_settings
from sql.failures import postgres_sentence
from sql.migrate import check_migrated
from streaming import archive_query as archive
from streaming.checkpoints import CheckpointLock, restart_detection
from streaming.evidence_worker import EvidenceWorker
from streaming.failures import is_not_interruption
from streaming.health import HealthChecks
from streaming.queries import QUERIES, drain, supervised_queries
from streaming.session import has_jvm_ended, start_streaming_session, stop_session
from streaming.supervisor import Supervisor


class Only(StrEnum):
    """The query to run if only one is wanted."""

    archive = "archive"
    detect = "detect"


@errors_as_sentences(translate=postgres_sentence)
def stream_command(
    only: Annotated[Only | None, typer.Option(help="Run this query only.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Process what Kafka holds now, then exit.")] = False,
    fresh_detect: Annotated[
        bool,
        typer.Option(
            "--fresh-detect", help="Set detection's checkpoint aside and start at the end of the topic."
        ),
    ] = False,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Resume after records that Kafka deleted before they were read."),
    ] = False,
) -> None:
    """Archive every record of the topics and raise alerts on keywords that take off."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    for noisy in ("kafka", "py4j"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    logging.getLogger("py4j.clientserver").addFilter(is_not_interruption)
    names = [only.value] if only else list(QUERIES)
    run(read_settings(), names, once=once, fresh_detect=fresh_detect, accept_loss=accept_loss)


def run(settings: Settings, names: list[str], *, once: bool, fresh_detect: bool, accept_loss: bool) -> None:
    """Run the queries `names` until they are drained (`once`), or until SIGTERM or SIGINT."""
    check_migrated(settings)
    lock = CheckpointLock(settings)
    lock.take()
    try:
        if fresh_detect:
            restart_detection(settings)
        offsets = "latest" if fresh_detect else "earliest"
        spark = start_streaming_session(settings)
        if once:
            drain(spark, settings, names, starting_offsets=offsets, accept_loss=accept_loss)
        else:
            _supervise(spark, settings, names, starting_offsets=offsets, accept_loss=accept_loss, lock=lock)
        stop_session(spark)
    finally:
        lock.release()


def _supervise(
    spark: SparkSession,
    settings: Settings,
    names: list[str],
    *,
    starting_offsets: str,
    accept_loss: bool,
    lock: CheckpointLock,
) -> None:
    evidence = EvidenceWorker(settings)
    queries = supervised_queries(
        spark, settings, names, evidence, starting_offsets=starting_offsets, accept_loss=accept_loss
    )
    supervisor = Supervisor(
        settings,
        queries,
        keep_lock=lock.keep,
        has_jvm_ended=partial(has_jvm_ended, spark),
        check_health=HealthChecks(settings).run,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    if archive.QUERY in names:
        evidence.start()
    supervisor.run()
    evidence.stop()
