"""`python -m benchmarks events [--days 14]`: precision and recall on simulated, labelled days.

A week of history is sent, archived and learned; then each live day goes through Kafka, both queries,
`streaming.finish` and the daily batch, as `make run` has it. Before each day every second burst of a known
word is put into the calendar, and the word of every second slow climb on the watchlist. At the end every
alert is explained, and a table shows each kind of event; pairs of alerts say if an event is one incident.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from psycopg2.extensions import cursor as Cursor
from pyspark.sql import SparkSession
from rich.console import Console
from rich.table import Table

from alerts.explain.explanation import Explanation, explain
from alerts.explain.load import find_alerts
from batch.run import Batch, Step
from benchmarks.grouping.quality import Quality
from benchmarks.grouping.stored import quality_of_day
from benchmarks.stack import benchmark_stack, run
from core.settings import Settings
from deploy.local.demo.watching import alerts_of_day
from deploy.local.demo.world import LabelledEvent, Raised, compare_with_labels, read_events
from producer.simulate.events import CLIMB, HISTORY_DAYS, MUST_ALERT, ORGANIC, OUTAGE
from sql.connection import transaction
from streaming.archive_query import QUERY as ARCHIVE
from streaming.queries import QUERIES, drain
from streaming.session import start_streaming_session, stop_session

FIRST_DAY = date(2026, 1, 5)
ONE_DAY = timedelta(days=1)
PLANNED, WATCHED = f"{ORGANIC}, planned", f"{CLIMB}, watched"
EXPECTED = {**MUST_ALERT, PLANNED: False, WATCHED: None}
VERDICTS = {True: "required", False: "wrong", None: "optional"}
OUTAGE_WINDOWS = 4
COLUMNS = (
    "kind",
    "alert is",
    "events",
    "alerted",
    "suppressed, and why",
    "origin",
    "opened by",
    "evidence",
    "alerts: incidents",
)
_DEGRADED = """
SELECT count(*) FROM traffic_windows WHERE degraded AND window_start > %(begin)s AND window_start < %(end)s
"""
_ALERTS = """
SELECT a.origin, a.opened_by, e.posts > 0, i.incident_id, a.keyword = %(keyword)s
FROM anomaly_alerts AS a
LEFT JOIN evidence_runs AS e USING (alert_id)
LEFT JOIN incident_members AS i USING (alert_id)
WHERE a.keyword = ANY (%(keywords)s) AND a.opened_window > %(begin)s AND a.opened_window < %(end)s
AND a.status <> 'withdrawn'
"""
_SUPPRESSED = """
SELECT DISTINCT reason FROM suppressed_windows
WHERE keyword = ANY (%(keywords)s) AND window_start > %(begin)s AND window_start < %(end)s
"""


@dataclass
class Outcome:
    """What became of the events of one kind."""

    events: int = 0
    alerted: int = 0
    suppressed: Counter[str] = field(default_factory=Counter)
    """Events without an alert but with rows that say why, by reason."""
    origins: Counter[str] = field(default_factory=Counter)
    """Alerted events by origin of their first alert."""
    opened_by: Counter[str] = field(default_factory=Counter)
    with_evidence: int = 0
    incidents: int = 0
    """Incidents to which their alerts belong."""
    alerts: int = 0


def main(
    days: Annotated[int, typer.Option(help="live days, after seven days of history", min=1)] = 14,
    posts_per_day: Annotated[int, typer.Option(help="posts on an average day", min=1_000)] = 24_000,
    seed: Annotated[int, typer.Option(help="seed of the simulated world")] = 11,
    words_per_event: Annotated[int, typer.Option(help="words of a burst; 2 to 8 to measure grouping")] = 1,
) -> None:
    """Play simulated days and print what became of their labelled events."""
    outcomes = {kind: Outcome() for kind in (*MUST_ALERT, PLANNED, WATCHED)}
    unlabelled: list[Raised] = []
    grouping = Quality()
    with benchmark_stack() as (servers, folder):
        settings = servers.model_copy(update={"statistics_keep_days": HISTORY_DAYS + days + 1})
        world = f"--posts-per-day {posts_per_day} --seed {seed} --words-per-event {words_per_event}"
        _simulate(settings, folder, HISTORY_DAYS + days, world)
        spark = start_streaming_session(settings)
        every_day = [FIRST_DAY + number * ONE_DAY for number in range(HISTORY_DAYS + days)]
        _play_history(spark, settings, folder, every_day[:HISTORY_DAYS])
        for number, day in enumerate(every_day[HISTORY_DAYS:]):
            events = read_events(folder, day)
            kinds = _plan_and_watch(settings, events, number)
            _send(settings, folder, [day])
            drain(spark, settings, QUERIES)
            run(settings, folder / "finish.log", "streaming.finish")
            _learn(spark, settings, [day])
            unlabelled += _add_outcomes(settings, day, kinds, outcomes)
            grouping += quality_of_day(settings, day, events)
        explanations = list(explain(settings, find_alerts(settings, [], every=True)))
        stop_session(spark)
    _print_table(outcomes, days)
    _print_scores(outcomes, unlabelled)
    typer.echo(f"grouping: {grouping}")
    _print_explanations(explanations)


def _simulate(settings: Settings, folder: Path, days: int, world: str) -> None:
    options = f"--start {FIRST_DAY} --days {days} {world} --compress zst"
    log = folder / "simulate.log"
    run(settings, log, "producer", "simulate", *options.split(), "--out", str(folder))


def _play_history(spark: SparkSession, settings: Settings, folder: Path, history: list[date]) -> None:
    """Archive and learn the days before the live days; detection starts after them."""
    _send(settings, folder, history)
    drain(spark, settings, [ARCHIVE])
    _learn(spark, settings, history)
    drain(spark, settings, starting_offsets="latest")


def _send(settings: Settings, folder: Path, days: list[date]) -> None:
    files = [str(folder / f"posts-{day}.ndjson.zst") for day in days]
    run(settings, folder / "producer.log", "producer", *files, "--clock", "original", "--no-resume")


def _learn(spark: SparkSession, settings: Settings, days: list[date]) -> None:
    batch = Batch(settings, session=lambda: spark, now=lambda: datetime.now(UTC), assume_complete=True)
    list(batch.run_days(days, [Step.STATISTICS, Step.EVIDENCE]))


def _plan_and_watch(settings: Settings, events: list[LabelledEvent], number: int) -> dict[LabelledEvent, str]:
    """Put every second burst into the calendar and every second climb on the watchlist.

    Returns the kind under which each event is counted.
    """
    kinds = {event: event.kind for event in events}
    bursts = [event for event in events if event.kind == ORGANIC]
    climbs = [event for event in events if event.kind == CLIMB]
    with transaction(settings) as cursor:
        for event in bursts[number % 2 :: 2]:
            kinds[event] = PLANNED
            times = [datetime.fromtimestamp(moment, UTC) for moment in (event.start, event.end)]
            for keyword in event.keywords:
                cursor.execute(
                    "INSERT INTO calendar VALUES (%s, %s, %s, 'planned') ON CONFLICT DO NOTHING",
                    (keyword, *times),
                )
        for event in climbs[number % 2 :: 2]:
            kinds[event] = WATCHED
            cursor.execute(
                "INSERT INTO watchlist (phrase) VALUES (%s) ON CONFLICT DO NOTHING", (event.keyword,)
            )
    return kinds


def _add_outcomes(
    settings: Settings, day: date, kinds: dict[LabelledEvent, str], outcomes: dict[str, Outcome]
) -> list[Raised]:
    """Add what became of the day's events to `outcomes`; return the alerts that belong to no event."""
    report = compare_with_labels(list(kinds), alerts_of_day(settings, day))
    alerted = dict(report.found)
    with transaction(settings) as cursor:
        for event, kind in kinds.items():
            outcome = outcomes[kind]
            outcome.events += 1
            if event.kind == OUTAGE:
                _add_outage(cursor, event, outcome)
            elif event in alerted:
                _add_alerts(cursor, event, alerted[event], outcome)
            else:
                cursor.execute(_SUPPRESSED, _parameters(event))
                outcome.suppressed.update(reason for (reason,) in cursor.fetchall())
    return report.unlabelled


def _parameters(event: LabelledEvent) -> dict[str, object]:
    """Return the event's keywords and the bounds of the windows that it touches."""
    return {
        "keywords": sorted(event.keywords),
        "begin": datetime.fromtimestamp(event.start - 900, UTC),
        "end": datetime.fromtimestamp(event.end, UTC),
    }


def _add_outage(cursor: Cursor, event: LabelledEvent, outcome: Outcome) -> None:
    cursor.execute(_DEGRADED, _parameters(event))
    (windows,) = cursor.fetchone() or (0,)
    outcome.suppressed["degraded windows"] += int(windows >= OUTAGE_WINDOWS)


def _add_alerts(cursor: Cursor, event: LabelledEvent, first: Raised, outcome: Outcome) -> None:
    """Add the alerts of an event, of which `first` is the first, with their evidence and incidents."""
    cursor.execute(_ALERTS, {**_parameters(event), "keyword": first.keyword})
    rows = cursor.fetchall()
    origin, opened_by, has_evidence, _, _ = next(row for row in rows if row[4])
    outcome.alerted += 1
    outcome.origins[str(origin or "unknown")] += 1
    outcome.opened_by[opened_by] += 1
    outcome.with_evidence += bool(has_evidence)
    outcome.alerts += len(rows)
    outcome.incidents += len({incident_id for _, _, _, incident_id, _ in rows})


def _print_table(outcomes: dict[str, Outcome], days: int) -> None:
    table = Table(*COLUMNS, title=f"{days} live days", title_justify="left")
    for kind, outcome in outcomes.items():
        table.add_row(
            kind,
            VERDICTS[EXPECTED[kind]],
            str(outcome.events),
            str(outcome.alerted),
            _counts(outcome.suppressed),
            _counts(outcome.origins),
            _counts(outcome.opened_by),
            str(outcome.with_evidence),
            f"{outcome.alerts}: {outcome.incidents}",
        )
    Console(width=170, soft_wrap=True).print(table)


def _print_scores(outcomes: dict[str, Outcome], unlabelled: list[Raised]) -> None:
    required = [outcome for kind, outcome in outcomes.items() if EXPECTED[kind]]
    found, events = sum(one.alerted for one in required), sum(one.events for one in required)
    wrong = sum(outcome.alerted for kind, outcome in outcomes.items() if EXPECTED[kind] is False)
    right = sum(outcome.alerted for kind, outcome in outcomes.items() if EXPECTED[kind] is not False)
    keywords = ", ".join(alert.keyword for alert in unlabelled) or "-"
    typer.echo(f"recall: {found} of {events} events that must alert have an alert")
    typer.echo(
        f"precision: {right} of {right + wrong + len(unlabelled)} alerted events are real "
        f"({wrong} should not have alerted, {len(unlabelled)} alerts without a label: {keywords})"
    )


def _print_explanations(explanations: list[Explanation]) -> None:
    matching = sum(explanation.matches for explanation in explanations)
    typer.echo(
        f"explain: all stored figures of {matching} of {len(explanations)} alerts "
        "follow exactly from archive and statistics"
    )
    for line in _differences(explanations):
        typer.echo(f"  {line}")


def _differences(explanations: list[Explanation]) -> Iterator[str]:
    for explanation in explanations:
        if explanation.matches:
            continue
        comparison = explanation.comparison
        differences = comparison.differences if comparison else [explanation.problem]
        yield (
            f"{explanation.stored.keyword}: {'; '.join(map(str, differences))} "
            f"({explanation.extra_posts:+} posts archived)"
        )


def _counts(counter: Counter[str]) -> str:
    return json.dumps(dict(sorted(counter.items())))[1:-1].replace('"', "") or "-"


if __name__ == "__main__":
    typer.run(main)
