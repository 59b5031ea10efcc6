"""A backtest on posts: archived days replayed with a rule, held against the alerts that the stream gave."""

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
    """PostsBacktest `days` with `rule`, write `out` if given, and say for people how it differs from what the stream said.

    Raises NotReadyError where the archive is not complete up to the last day, or the statistics of a day are gone.
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
    title = f"{days[0]} to {days[-1]} with {rule}, held against the alerts of the stream"
    return "\n".join([title, *describe(pairs, len(days))])
