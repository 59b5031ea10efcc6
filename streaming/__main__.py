"""`python -m streaming`: the archive query and the detect query until SIGTERM or Ctrl-C."""

import logging
import signal
import sys
from enum import StrEnum
from typing import Annotated

import typer
from pyspark.sql.streaming.query import StreamingQuery

from core.errors import GroundswellError
from core.settings import Settings, read_settings
from streaming import archive, detect
from streaming.checkpoints import CheckpointLock, checkpoint_of, start_detection_anew
from streaming.evidence import EvidenceWorker
from streaming.plans import WatchedPhrases
from streaming.rejects import store_rejected_records
from streaming.session import start_streaming_session, stop_session
from streaming.supervisor import Supervised, Supervisor

log = logging.getLogger("streaming")


class Only(StrEnum):
    """The query to run where it is to be one."""

    archive = "archive"
    detect = "detect"


def main(
    only: Annotated[Only | None, typer.Option(help="run this query only")] = None,
    once: Annotated[bool, typer.Option("--once", help="take what Kafka holds now, then end")] = False,
    fresh_detect: Annotated[
        bool, typer.Option("--fresh-detect", help="put detection's checkpoint aside and begin at the end of the topic")
    ] = False,
) -> None:
    """Archive every record of the topics and raise alerts on keywords that take off."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    for noisy in ("kafka", "py4j"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    try:
        run(read_settings(), [only.value] if only else [archive.QUERY, detect.QUERY], once=once, fresh_detect=fresh_detect)
    except GroundswellError as error:
        raise SystemExit(f"streaming: {error}") from error


def run(settings: Settings, names: list[str], *, once: bool, fresh_detect: bool) -> None:
    """Run the queries `names`; returns when they are drained (`once`) or on SIGTERM or SIGINT."""
    lock = CheckpointLock(settings)
    lock.take()
    try:
        if fresh_detect:
            start_detection_anew(settings)
        spark = start_streaming_session(settings)
        archive.create_archive(spark)
        offsets = "latest" if fresh_detect else "earliest"

        def start_archive() -> StreamingQuery:
            return archive.start_archive(spark, settings, checkpoint=checkpoint_of(settings, archive.QUERY), once=once)

        phrases = WatchedPhrases(spark, settings)

        def start_detect() -> StreamingQuery:
            checkpoint = checkpoint_of(settings, detect.QUERY)
            return detect.start_detect(
                spark, settings, checkpoint=checkpoint, starting_offsets=offsets, phrases=phrases.take(), once=once
            )

        evidence = EvidenceWorker(spark, settings)

        def after_archive() -> None:
            _store_rejected(store_rejected_records(spark, settings))
            evidence.archived()

        supervised = [
            Supervised(archive.QUERY, [settings.posts_topic, settings.rejected_topic], start_archive,
                       after_batch=after_archive),
            Supervised(detect.QUERY, [settings.posts_topic], start_detect, outdated=phrases.changed),
        ]  # fmt: skip
        supervisor = Supervisor(settings, [query for query in supervised if query.name in names], keep_lock=lock.keep)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stop())
        if once:
            supervisor.drain()
            if archive.QUERY in names:
                evidence.store_all()
        else:
            if archive.QUERY in names:
                evidence.start()
            supervisor.run()
            evidence.stop()
        stop_session(spark)
    finally:
        lock.release()


def _store_rejected(count: int) -> None:
    if count:
        log.warning("%d records refused; see the table rejected_records", count)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
