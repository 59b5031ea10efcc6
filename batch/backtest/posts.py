"""Replay archived days with a rule and compare its alerts with those of the stream."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from pyspark.sql import SparkSession

from batch.backtest.alerts import live_alerts
from batch.backtest.difference import describe, pair_alerts, write_pairs
from batch.backtest.replay import PostsBacktest
from batch.backtest.rule import ReplayRule
from batch.days import check_complete
from core.windows import ONE_DAY, day_start
from sql.connection import transaction


def backtest_posts(
    session: Callable[[], SparkSession],
    rule: ReplayRule,
    days: Sequence[date],
    out: Path | None,
    *,
    assume_complete: bool = False,
) -> str:
    """Replay `days` with `rule`, write `out` if given, and return a report of how its alerts differ.

    Raises NotReadyError if the archive is not complete up to the last day, or if the statistics for a day are
    no longer kept.
    """
    settings = rule.settings
    if not assume_complete:
        with transaction(settings) as cursor:
            check_complete(cursor, days[-1], settings=settings, now=datetime.now(UTC))
    replayed = PostsBacktest(session(), rule).run(days)
    with transaction(settings) as cursor:
        live = live_alerts(cursor, day_start(days[0]), day_start(days[-1] + ONE_DAY))
    pairs = pair_alerts(live, replayed)
    if out is not None:
        write_pairs(out, pairs)
    title = f"{days[0]} to {days[-1]} with {rule}, compared with the alerts of the stream"
    return "\n".join([title, *describe(pairs, len(days))])
