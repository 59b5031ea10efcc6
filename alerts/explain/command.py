"""`python -m alerts.explain.command ALERT`: why it alerted, in a sentence, and whether every stored figure follows from the archive."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Annotated, Any
from uuid import UUID

import numpy as np
import psycopg2
import typer
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import register_uuid
from pyspark.sql import SparkSession

from alerts.explain.recompute import (
    Baseline,
    Comparison,
    Stored,
    compare,
    recompute_windows,
    spans_to_recount,
)
from alerts.explain.recount import Recount, recount
from alerts.explain.sentence import ORIGINS, post_line, terms_line, what_happened
from alerts.store import RULE_VERSION
from alerts.traffic import load_traffic
from archive.session import start_session
from core.catalog import CATALOG
from core.errors import BadInputError, GroundswellError, NotReadyError
from core.settings import Settings, read_settings
from core.windows import window_number, window_start
from detection.learn import HOURS, KeywordRows, Traffic, default_rows
from sql.connection import query, transaction

ALERTS_A_SCAN = 50
S3_RETRIES = "5"

register_uuid()  # type: ignore[no-untyped-call]


@dataclass
class Explanation:
    """What is said of one alert, and whether all its figures are met."""

    stored: Stored
    comparison: Comparison | None = None
    """None where it could not be recomputed, for `problem`."""
    problem: str | None = None
    recounted: str | None = None
    """What the archive says otherwise of the posts, where it does."""
    evidence: list[dict[str, Any]] = field(default_factory=list)
    terms: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        """Whether every stored figure that is final is met exactly."""
        return self.comparison is not None and not self.comparison.differences


def find_alerts(settings: Settings, names: Sequence[str], *, every: bool) -> list[Stored]:
    """The alerts of `names`, alert ids or keywords (the newest alert of each), or with `every` all that were not withdrawn.

    Raises BadInputError where there is none.
    """
    if every == bool(names):
        raise BadInputError(
            "Say which alert: an alert_id or a keyword of `python -m alerts.listing`, several of them, or --all."
        )
    with transaction(settings, application_name="groundswell explain") as cursor:
        if every:
            alerts = _rows(
                cursor,
                "SELECT * FROM anomaly_alerts WHERE status <> 'withdrawn' ORDER BY opened_window, keyword",
                {},
            )
        else:
            alerts = [_find(cursor, name) for name in names]
        if not alerts:
            raise BadInputError(
                "There are no alerts yet. `python -m alerts.listing --follow` shows them as they come."
            )
        windows = "SELECT * FROM alert_windows WHERE alert_id = %(alert_id)s ORDER BY window_start"
        found = [Stored(alert, _rows(cursor, windows, alert)) for alert in alerts]
    return [stored for stored in found if stored.windows]


def explain(spark: SparkSession, settings: Settings, found: Sequence[Stored]) -> Iterator[Explanation]:
    """Explain alerts one after the other, reading the archive once for fifty of them."""
    for place in range(0, len(found), ALERTS_A_SCAN):
        together = found[place : place + ALERTS_A_SCAN]
        keywords = [stored.keyword for stored in together]
        archived = recount(
            spark, settings, keywords, [spans_to_recount(stored, settings) for stored in together]
        )
        with transaction(settings, application_name="groundswell explain") as cursor:
            counted = replace(archived, total_posts=_in_time(cursor, archived.total_posts))
            baseline_for, as_of_before = _statistics(cursor)
            for stored in together:
                explanation = _explain(cursor, settings, stored, counted, baseline_for, as_of_before)
                explanation.recounted = _otherwise(stored, archived)
                yield explanation


def _in_time(cursor: Cursor, total_posts: Mapping[int, int]) -> dict[int, int]:
    """Archived posts of all keywords by window number without those that came when the window was closed."""
    if not total_posts:
        return {}
    first, before = window_start(min(total_posts)), window_start(max(total_posts) + 1)
    counted = load_traffic(cursor, first=first, before=before)
    return {
        number: min(posts, counted.get(window_start(number), posts)) for number, posts in total_posts.items()
    }


def _explain(
    cursor: Cursor,
    settings: Settings,
    stored: Stored,
    counted: Recount,
    baseline_for: Callable[[str, date | None], Baseline],
    as_of_before: Callable[[date], date | None],
) -> Explanation:
    explanation = Explanation(
        stored,
        evidence=_rows(
            cursor,
            "SELECT * FROM alert_evidence WHERE alert_id = %(alert_id)s AND rank = 1 ORDER BY role",
            stored.alert,
        ),
        terms=_rows(
            cursor,
            "SELECT * FROM alert_terms WHERE alert_id = %(alert_id)s ORDER BY kind, z_score DESC",
            stored.alert,
        ),
    )
    try:
        judged = recompute_windows(stored, counted, baseline_for, as_of_before, settings)
    except NotReadyError as error:
        explanation.problem = str(error)
        return explanation
    explanation.comparison = compare(stored, judged, settings)
    return explanation


def _otherwise(stored: Stored, counted: Recount) -> str | None:
    """What the archive holds less or more of the closed windows than was counted, and what that means; None where it is the same."""
    closed = [
        (window_number(window["window_start"]), window) for window in stored.windows if window["closed"]
    ]
    more = sum(counted.total_posts.get(number, 0) - (window["total_posts"] or 0) for number, window in closed)
    few = "post in its windows than was" if abs(more) == 1 else "posts in its windows than were"
    if more < 0:
        return f"The archive holds {-more:,} fewer {few} counted. Run this again when it has caught up with Kafka."
    if more > 0:
        return (
            f"The archive holds {more:,} more {few} counted, because of posts that came when the windows were closed: such posts are "
            "archived but never counted."
        )
    return None


def lines_of(explanation: Explanation, settings: Settings) -> Iterator[str]:
    """The explanation for people."""
    stored, alert = explanation.stored, explanation.stored.alert
    opening, strongest = stored.windows[0], max(stored.windows, key=lambda window: window["score"])
    by_hour = alert["opened_by"] == "hour"
    yield f"{alert['keyword']}  ({alert['status']}, {alert['severity']}, alert {alert['alert_id']})"
    yield f"  {what_happened(opening if by_hour else strongest, opened_by=alert['opened_by'], min_posts=settings.min_posts)}."
    until = f", over at {alert['resolved_at']:%Y-%m-%d %H:%M}" if alert["resolved_at"] else ", still going on"
    yield (
        f"  Since {alert['opened_window']:%Y-%m-%d %H:%M} UTC, first post at {alert['first_post_at']:%H:%M:%S}, "
        f"last unusual window {alert['last_window']:%H:%M}{until}; {alert['posts']:,} posts in all."
    )
    yield f"  Who: {ORIGINS[alert['origin']]}."
    for post in explanation.evidence:
        yield f"  {post_line(post)}"
    if not explanation.evidence:
        yield "  Posts to look at are stored after the next commit to the archive, by the streaming process or `python -m batch DAY`."
    for kind in ("word", "hashtag", "music", "author"):
        terms = [term for term in explanation.terms if term["kind"] == kind][:5]
        if terms:
            yield f"  {terms_line(kind, terms, alert['posts'])}"
    learned = (
        f"the statistics of {alert['statistics_as_of']}"
        if alert["statistics_as_of"]
        else "no statistics: nothing was learned yet"
    )
    yield f"  Judged by {learned}; threshold {opening['threshold']:g}, min_posts {settings.min_posts} (as it is set now); {alert['rule_version']}."
    yield from (f"  {line}" for line in _verdict(explanation))


def _verdict(explanation: Explanation) -> Iterator[str]:
    stored = explanation.stored
    if stored.alert["status"] == "withdrawn":
        yield "It was withdrawn: when its first window closed, it was not unusual any more."
    elif not stored.is_final:
        yield "Provisional: a window is still open, so its figures and those of the alert may still change. Closed windows are compared."
    if stored.alert["rule_version"] != RULE_VERSION:
        yield f"It was decided by another version of the rules; what is recomputed follows {RULE_VERSION}."
    if explanation.problem or explanation.comparison is None:
        yield f"NOT CHECKED: {explanation.problem}"
        return
    if explanation.is_met:
        yield f"Recomputed from the archive: all {explanation.comparison.figures} stored figures are met exactly."
        if explanation.recounted:
            yield explanation.recounted
        return
    count = len(explanation.comparison.differences)
    yield f"NOT MET: {count} of {explanation.comparison.figures} stored figures are not what the archive and the statistics say:"
    yield from (f"  {difference}" for difference in explanation.comparison.differences)
    if explanation.recounted:
        yield explanation.recounted


def _find(cursor: Cursor, name: str) -> dict[str, Any]:
    try:
        rows = _rows(cursor, "SELECT * FROM anomaly_alerts WHERE alert_id = %(name)s", {"name": UUID(name)})
    except ValueError:
        newest = "SELECT * FROM anomaly_alerts WHERE keyword = %(name)s ORDER BY status = 'withdrawn', opened_window DESC LIMIT 1"
        rows = _rows(cursor, newest, {"name": name.strip().lstrip("#").casefold()})
    if not rows:
        raise BadInputError(
            f"There is no alert {name!r}. `python -m alerts.listing` prints all; give a keyword as it is written there, or an "
            "alert_id of the view recent_alerts."
        )
    return rows[0]


def _rows(cursor: Cursor, statement: str, parameters: dict[str, Any] | Any) -> list[dict[str, Any]]:
    cursor.execute(statement, parameters)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _statistics(
    cursor: Cursor,
) -> tuple[Callable[[str, date | None], Baseline], Callable[[date], date | None]]:
    """What was usual for a keyword as of a day, and the newest complete day before one; both ask Postgres once each."""

    @cache
    def traffic_of(as_of: date) -> Traffic:
        cursor.execute(query("traffic_as_of"), {"as_of": as_of})
        rows = cursor.fetchall()
        if len(rows) != HOURS:
            raise NotReadyError(
                f"The statistics of {as_of} that it was judged by are no longer kept (GROUNDSWELL_STATISTICS_KEEP_DAYS), "
                "so its figures cannot be recomputed."
            )
        return Traffic(np.array([row[1] for row in rows], dtype=float), float(rows[0][2]))

    @cache
    def baseline_for(keyword: str, as_of: date | None) -> Baseline:
        if as_of is None:
            return Baseline(default_rows(1), None)
        traffic = traffic_of(as_of)
        cursor.execute(query("statistics_of_keyword"), {"as_of": as_of, "keyword": keyword})
        row = cursor.fetchone()
        if row is None:
            return Baseline(default_rows(1), traffic)
        profile = np.full((1, HOURS), np.nan) if row[1] is None else np.array([row[1]], dtype=float)
        level, variance, dispersion, hourly_spread = (
            np.array([row[place]], dtype=float) for place in (0, 2, 3, 4)
        )
        return Baseline(KeywordRows(level, profile, variance, dispersion, hourly_spread), traffic)

    @cache
    def as_of_before(day: date) -> date | None:
        cursor.execute(query("traffic_before_day"), {"day": day})
        row = cursor.fetchone()
        return row[0] if row else None

    return baseline_for, as_of_before


def main(
    alerts: Annotated[
        list[str] | None,
        typer.Argument(help="alert_ids, or keywords: the newest alert of each", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="all alerts that were not withdrawn")] = False,
) -> None:
    """Say why a keyword alerted, and check every stored figure of the alert against the archive. Ends with 0 if all are met, 1 if not."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        settings = read_settings()
        found = find_alerts(settings, alerts or [], every=every)
        spark = start_session(
            settings,
            "groundswell explain",
            **{"spark.sql.shuffle.partitions": str(settings.batch_partitions)},
        )
        try:
            spark.conf.set(f"spark.sql.catalog.{CATALOG}.s3.retry.num-retries", S3_RETRIES)
            is_met = print_all(explain(spark, settings, found), settings, short=every or len(found) > 1)
        finally:
            spark.stop()
    except psycopg2.OperationalError as error:
        typer.echo(
            f"alerts.explain.command: Postgres does not answer ({str(error).strip()}). Start it with `make up`.",
            err=True,
        )
        raise typer.Exit(2) from error
    except GroundswellError as error:
        typer.echo(f"alerts.explain.command: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(0 if is_met else 1)


def print_all(explanations: Iterator[Explanation], settings: Settings, *, short: bool) -> bool:
    """Print each, and with `short` a line for all at the end; returns whether all are met."""
    met = figures = count = 0
    for explanation in explanations:
        for line in lines_of(explanation, settings):
            typer.echo(line)
        typer.echo("")
        count += 1
        met += explanation.is_met
        figures += explanation.comparison.figures if explanation.comparison else 0
    if short:
        typer.echo(
            f"{met} of {count} alerts with all stored figures met exactly; {figures:,} figures compared."
        )
    return met == count


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
