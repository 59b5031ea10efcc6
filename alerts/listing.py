"""`groundswell alerts`: prints alerts as they open, are confirmed, withdrawn or resolved, for people."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import psycopg2
import typer

from core.command_line import errors_as_sentences
from core.errors import BadInputError
from core.settings import Settings, read_settings
from detection.authors import MANY_AUTHORS
from sql.connection import pooled, query, transaction
from sql.failures import postgres_sentence
from sql.figures import baseline_sentence
from sql.rows import fetch_as

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
FOLLOW_SECONDS = 0.5
SURE_DISTINCT = 13
"""Authors or texts below which the live estimate is off by about one on average, at most."""
OVERLAP = timedelta(seconds=10)
"""How far each poll reaches back: a transaction that began earlier may commit rows later."""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert as the listing shows it."""

    alert_id: UUID
    keyword: str
    status: str
    provisional: bool
    severity: str
    posts: int
    expected_posts: float
    distinct_authors: int
    opened_window: datetime
    last_window: datetime
    resolved_at: datetime | None
    top_post: str
    updated_at: datetime
    judged_by: str
    authors_counted: bool
    """Whether the authors are counted in the archive rather than estimated."""

    @property
    def news(self) -> str:
        """What happened: EARLY for a provisional alert, else OPEN, RESOLVED or WITHDRAWN."""
        return "EARLY" if self.status == "open" and self.provisional else self.status.upper()

    def as_text(self, web_url: str | None = None) -> str:
        """Return the alert as one line that ends with a link: to its page, or to its most liked post."""
        authors = shown_distinct(self.distinct_authors, counted=self.authors_counted)
        until = f" to {self.resolved_at:%H:%M}" if self.resolved_at else ""
        authors += " authors, first day" if self.judged_by == "first day" else " authors"
        return (
            f"{self.news:<9} {self.opened_window:%Y-%m-%d %H:%M}{until:<9} {self.severity:<8} "
            f"{self.keyword}: {self.posts} posts, {self.expected_posts:.1f} expected, {authors}  "
            f"{f'{web_url}/alerts/{self.alert_id}' if web_url else self.top_post}"
        )


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One incident as the listing shows it."""

    keyword: str
    other_keywords: str | None
    status: str
    posts: int
    opened_window: datetime
    last_window: datetime
    typical_post: str | None

    def __str__(self) -> str:
        keywords = f"{self.keyword} (with {self.other_keywords})" if self.other_keywords else self.keyword
        span = f"{self.opened_window:%Y-%m-%d %H:%M} to {self.last_window:%H:%M}"
        return f"{self.status.upper():<9} {span}  {keywords}: {self.posts:,} posts  {self.typical_post or ''}"


def shown_distinct(number: int, *, counted: bool) -> str:
    """Return a number of distinct authors or texts and how sure it is: an estimate ends at 300.

    >>> [shown_distinct(4592, counted=True), shown_distinct(210, counted=False)]
    ['4,592', 'about 210']
    >>> [shown_distinct(310, counted=False), shown_distinct(12, counted=False)]
    ['300+', '12']
    """
    if counted or number < SURE_DISTINCT:
        return f"{number:,}"
    return f"{MANY_AUTHORS}+" if number >= MANY_AUTHORS else f"about {number}"


def alerts_updated_since(settings: Settings, since: datetime) -> list[AlertLine]:
    """Return alerts updated after `since`, oldest update first."""
    with transaction(settings, application_name="groundswell alerts") as cursor:
        cursor.execute(query("alerts_updated_since"), {"since": since})
        return fetch_as(cursor, AlertLine)


def open_alerts(settings: Settings) -> list[AlertLine]:
    """Return the alerts that are open now, oldest update first."""
    return [alert for alert in alerts_updated_since(settings, BEGINNING) if alert.status == "open"]


def news_of(
    settings: Settings,
    *,
    since: datetime,
    follow: Callable[[], bool],
    printed: Iterable[AlertLine] = (),
) -> Iterator[AlertLine]:
    """Yield each alert updated after `since`, and again whenever its `news` changes.

    `printed` are alerts that the user has seen already. Polls every FOLLOW_SECONDS while `follow()` is true,
    and keeps polling while Postgres is away; a status that came and went between two polls is not seen.
    """
    yielded = {alert.alert_id: alert.news for alert in printed}
    newest = since
    while True:
        following = follow()
        try:
            for alert in alerts_updated_since(settings, newest - OVERLAP if newest > since else since):
                if yielded.get(alert.alert_id) != alert.news:
                    yielded[alert.alert_id] = alert.news
                    yield alert
                newest = max(newest, alert.updated_at)
        except psycopg2.OperationalError:
            if not following:
                raise
        if not following:
            return
        time.sleep(FOLLOW_SECONDS)


def incident_lines(settings: Settings, *, since: datetime) -> Iterator[str]:
    """Yield a line per incident updated after `since`, oldest first.

    A line has status, when, keywords, distinct posts and a typical post.
    """
    with transaction(settings, application_name="groundswell alerts") as cursor:
        cursor.execute(query("incidents_updated_since"), {"since": since})
        yield from map(str, fetch_as(cursor, IncidentLine))


@errors_as_sentences(translate=postgres_sentence)
def main(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for changes and print them too, until Ctrl-C.")
    ] = False,
    since: Annotated[
        datetime | None, typer.Option(help="Print changes after this time (UTC) only.", show_default=False)
    ] = None,
    incidents: Annotated[
        bool, typer.Option("--incidents", help="Print one line per incident: alerts that share their posts.")
    ] = False,
) -> None:
    """List alerts, or follow them as they open and are confirmed, withdrawn or resolved.

    A line has what happened, when, severity, keyword, posts, expected posts, distinct authors and a link to
    its page or, without GROUNDSWELL_WEB_URL, to a post. Without --since, --follow begins with the alerts that
    are open now, so that a restart repeats nothing that is over.
    """
    if incidents and follow:
        raise BadInputError(
            "--incidents shows incidents as they are now and cannot follow. Leave out --follow."
        )
    settings = read_settings()
    start = since.replace(tzinfo=UTC) if since else BEGINNING
    if incidents:
        for line in incident_lines(settings, since=start):
            print(line)
        return
    with suppress(KeyboardInterrupt), pooled(settings, most=1):
        from_now = follow and since is None
        alerts = following(settings) if from_now else news_of(settings, since=start, follow=lambda: follow)
        for alert in alerts:
            print(alert.as_text(settings.web_url), flush=True)


def baseline_now(settings: Settings) -> str | None:
    """Return what the stream judges its newest window by; None before the first post."""
    with transaction(settings, application_name="groundswell alerts") as cursor:
        cursor.execute("SELECT judged_by, learned_minutes FROM detection_baseline")
        baseline = cursor.fetchone()
    return baseline_sentence(*baseline) if baseline else None


def following(settings: Settings) -> Generator[AlertLine, None, None]:
    """Yield the alerts that are open now, then every change from now on."""
    now = datetime.now(UTC)
    current = open_alerts(settings)
    typer.echo(f"{len(current)} alerts are open; following changes until Ctrl-C.", err=True)
    if baseline := baseline_now(settings):
        typer.echo(f"Judged by: {baseline}", err=True)
    yield from current
    yield from news_of(settings, since=now, follow=lambda: True, printed=current)
