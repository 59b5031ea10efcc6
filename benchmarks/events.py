"""`python -m benchmarks events [--days 14]`: precision and recall on simulated days with labelled events, by kind of event.

A week of history is sent, archived and learned; then each live day goes through Kafka, both queries, the decision of its
last windows and the daily batch, as `make run` has it. Before each day every second burst of a known word is put into the
calendar, and the word of every second slow climb on the watchlist. At the end every alert is explained.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table

from alerts.explain.explanation import explain
from alerts.explain.load import find_alerts
from batch.run import Batch, Step
from benchmarks.stack import benchmark_stack, run
from core.settings import Settings
from deploy.local.demo.watching import alerts_of_day
from deploy.local.demo.world import Event, Raised, compare_with_labels, read_events
from producer.simulate.events import CLIMB, HISTORY_DAYS, MUST_ALERT, ORGANIC, OUTAGE
from sql.connection import transaction
from streaming.archive_query import QUERY as ARCHIVE
from streaming.queries import QUERIES, drain
from streaming.session import start_streaming_session, stop_session

FIRST_DAY = date(2026, 1, 5)
ONE_DAY = timedelta(days=1)
PLANNED, WATCHED = f"{ORGANIC}, planned", f"{CLIMB}, watched"
EXPECTED = {**MUST_ALERT, PLANNED: False, WATCHED: None}
OUTAGE_WINDOWS = 4


@dataclass
class Found:
    """What became of the events of one kind."""

    events: int = 0
    alerted: int = 0
    kept_back: Counter[str] = field(default_factory=Counter)
    """Events without an alert but with rows that say why, by reason."""
    origins: Counter[str] = field(default_factory=Counter)
    """Alerted events by origin of their first alert."""
    opened_by: Counter[str] = field(default_factory=Counter)
    with_evidence: int = 0
    incidents: int = 0
    """Incidents that their alerts belong to."""
    alerts: int = 0


def main(
    days: Annotated[int, typer.Option(help="live days, after seven that are learned", min=1)] = 14,
    posts_per_day: Annotated[int, typer.Option(help="posts on an average day", min=1_000)] = 24_000,
    seed: Annotated[int, typer.Option(help="number of the simulated world")] = 11,
) -> None:
    """Play the days and print the tables."""
    found = {kind: Found() for kind in (*MUST_ALERT, PLANNED, WATCHED)}
    unlabelled: list[Raised] = []
    with benchmark_stack() as (servers, folder):
        settings = servers.model_copy(update={"statistics_keep_days": HISTORY_DAYS + days + 1})
        run(
            settings,
            folder / "simulate.log",
            "producer",
            "simulate",
            "--start",
            str(FIRST_DAY),
            "--days",
            str(HISTORY_DAYS + days),
            "--posts-per-day",
            str(posts_per_day),
            "--seed",
            str(seed),
            "--out",
            str(folder),
            "--compress",
            "zst",
        )
        spark = start_streaming_session(settings)
        history, live = [
            [FIRST_DAY + number * ONE_DAY for number in numbers]
            for numbers in (range(HISTORY_DAYS), range(HISTORY_DAYS, HISTORY_DAYS + days))
        ]
        _send(settings, folder, history)
        drain(spark, settings, [ARCHIVE])
        _learn(spark, settings, history)
        drain(spark, settings, starting_offsets="latest")
        for number, day in enumerate(live):
            events = read_events(folder, day)
            told = _tell(settings, events, number)
            _send(settings, folder, [day])
            drain(spark, settings, QUERIES)
            run(settings, folder / "decide.log", "streaming.finish")
            _learn(spark, settings, [day])
            unlabelled += _take(settings, day, events, told, found)
        explanations = list(explain(spark, settings, find_alerts(settings, [], every=True)))
        stop_session(spark)
    _print(found, unlabelled, days)
    met = [explanation for explanation in explanations if explanation.matches]
    typer.echo(
        f"explain: all stored figures of {len(met)} of {len(explanations)} alerts follow exactly from archive and statistics"
    )
    for explanation in explanations:
        if not explanation.matches:
            differences = (
                explanation.comparison.differences if explanation.comparison else [explanation.problem]
            )
            typer.echo(
                f"  {explanation.stored.keyword}: {'; '.join(map(str, differences))} ({explanation.extra_posts:+} posts archived)"
            )


def _send(settings: Settings, folder: Path, days: list[date]) -> None:
    files = [str(folder / f"posts-{day}.ndjson.zst") for day in days]
    run(settings, folder / "producer.log", "producer", *files, "--clock", "original", "--no-resume")


def _learn(spark: SparkSession, settings: Settings, days: list[date]) -> None:
    batch = Batch(settings, session=lambda: spark, now=lambda: datetime.now(UTC), assume_complete=True)
    list(batch.run_days(days, [Step.STATISTICS, Step.EVIDENCE]))


def _tell(settings: Settings, events: list[Event], number: int) -> dict[Event, str]:
    """Plan and watch every second event that can be; returns the kind under which each event is counted."""
    told = {event: event.kind for event in events}
    bursts = [event for event in events if event.kind == ORGANIC]
    climbs = [event for event in events if event.kind == CLIMB]
    with transaction(settings) as cursor:
        for event in bursts[number % 2 :: 2]:
            told[event] = PLANNED
            for keyword in event.keywords:
                times = [datetime.fromtimestamp(moment, UTC) for moment in (event.start, event.end)]
                cursor.execute(
                    "INSERT INTO calendar VALUES (%s, %s, %s, 'planned') ON CONFLICT DO NOTHING",
                    (keyword, *times),
                )
        for event in climbs[number % 2 :: 2]:
            told[event] = WATCHED
            cursor.execute(
                "INSERT INTO watchlist (phrase) VALUES (%s) ON CONFLICT DO NOTHING", (event.keyword,)
            )
    return told


def _take(
    settings: Settings, day: date, events: list[Event], told: dict[Event, str], found: dict[str, Found]
) -> list[Raised]:
    """Add what became of the day's events to `found`; returns the alerts that no event accounts for."""
    report = compare_with_labels(events, alerts_of_day(settings, day))
    alerted = dict(report.found)
    with transaction(settings) as cursor:
        for event in events:
            kind = found[told[event]]
            kind.events += 1
            times = [datetime.fromtimestamp(moment, UTC) for moment in (event.start - 900, event.end)]
            if event.kind == OUTAGE:
                cursor.execute(
                    "SELECT count(*) FROM traffic_windows WHERE degraded AND window_start > %s AND window_start < %s",
                    times,
                )
                (windows,) = cursor.fetchone() or (0,)
                kind.kept_back["degraded windows"] += int(windows >= OUTAGE_WINDOWS)
            elif event in alerted:
                kind.alerted += 1
                cursor.execute(
                    "SELECT a.origin, a.opened_by, e.posts > 0, i.incident_id, a.keyword = %s FROM anomaly_alerts a "
                    "LEFT JOIN evidence_runs e USING (alert_id) LEFT JOIN incident_members i USING (alert_id) "
                    "WHERE a.keyword = ANY (%s) AND a.opened_window > %s AND a.opened_window < %s AND a.status <> 'withdrawn'",
                    (alerted[event].keyword, sorted(event.keywords), *times),
                )
                rows = cursor.fetchall()
                origin, opened_by, has_evidence, _, _ = next(row for row in rows if row[4])
                kind.origins[str(origin or "untold")] += 1
                kind.opened_by[opened_by] += 1
                kind.with_evidence += bool(has_evidence)
                kind.alerts += len(rows)
                kind.incidents += len({row[3] for row in rows})
            else:
                cursor.execute(
                    "SELECT DISTINCT reason FROM suppressed_windows WHERE keyword = ANY (%s) AND window_start > %s AND window_start < %s",
                    (sorted(event.keywords), *times),
                )
                kind.kept_back.update(reason for (reason,) in cursor.fetchall())
    return report.unlabelled


def _print(found: dict[str, Found], unlabelled: list[Raised], days: int) -> None:
    table = Table(title=f"{days} live days", title_justify="left")
    for name in (
        "kind",
        "alert is",
        "events",
        "alerted",
        "kept back, why",
        "origin",
        "opened by",
        "evidence",
        "alerts: incidents",
    ):
        table.add_column(name)
    for kind, one in found.items():
        expected = {True: "due", False: "wrong", None: "welcome"}[EXPECTED[kind]]
        table.add_row(
            kind,
            expected,
            str(one.events),
            str(one.alerted),
            _counts(one.kept_back),
            _counts(one.origins),
            _counts(one.opened_by),
            str(one.with_evidence),
            f"{one.alerts}: {one.incidents}",
        )
    Console(width=170, soft_wrap=True).print(table)
    due = [one for kind, one in found.items() if EXPECTED[kind]]
    wrong = sum(one.alerted for kind, one in found.items() if EXPECTED[kind] is False)
    right = sum(one.alerted for kind, one in found.items() if EXPECTED[kind] is not False)
    typer.echo(
        f"recall of what must alert: {sum(one.alerted for one in due)} of {sum(one.events for one in due)}"
    )
    typer.echo(
        f"precision: {right} of {right + wrong + len(unlabelled)} alerted events are real ({wrong} labelled otherwise, "
        f"{len(unlabelled)} alerts without a label: {', '.join(alert.keyword for alert in unlabelled) or '-'})"
    )


def _counts(counter: Counter[str]) -> str:
    return json.dumps(dict(sorted(counter.items())))[1:-1].replace('"', "") or "-"


if __name__ == "__main__":
    typer.run(main)
