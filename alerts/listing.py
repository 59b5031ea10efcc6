"""`python -m alerts.listing`: prints alerts as they open, are confirmed, withdrawn or resolved, for people."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

import psycopg2
import typer

from core.errors import BadInputError, GroundswellError
from core.settings import Settings, read_settings
from detection.authors import MANY_AUTHORS
from sql.connection import query, transaction

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
FOLLOW_SECONDS = 0.5
OVERLAP = timedelta(seconds=10)
"""Looked back at each look: rows of a transaction that began earlier may appear later."""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert as a person reads it."""

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

    @property
    def news(self) -> str:
        """What happened: opened early, opened, resolved or withdrawn."""
        return "EARLY" if self.status == "open" and self.provisional else self.status.upper()

    def __str__(self) -> str:
        authors = f"{MANY_AUTHORS}+" if self.distinct_authors >= MANY_AUTHORS else str(self.distinct_authors)
        until = f" to {self.resolved_at:%H:%M}" if self.resolved_at else ""
        return (
            f"{self.news:<9} {self.opened_window:%Y-%m-%d %H:%M}{until:<9} {self.severity:<8} {self.keyword}: {self.posts} posts, "
            f"{self.expected_posts:.1f} expected, {authors} authors  {self.top_post}"
        )


def alerts_updated_since(settings: Settings, since: datetime) -> list[AlertLine]:
    """Alerts that were written after `since`, oldest change first."""
    with transaction(settings, application_name="groundswell alerts") as cursor:
        cursor.execute(query("alerts_updated_since"), {"since": since})
        return [AlertLine(*row) for row in cursor.fetchall()]


def news_of(settings: Settings, *, since: datetime, follow: Callable[[], bool]) -> Iterator[AlertLine]:
    """Alerts whose status changed, each change once, for as long as `follow` says so; waits where Postgres is away."""
    told: dict[UUID, str] = {}
    newest = since
    while True:
        going_on = follow()
        try:
            for alert in alerts_updated_since(settings, newest - OVERLAP if newest > since else since):
                if told.get(alert.alert_id) != alert.news:
                    told[alert.alert_id] = alert.news
                    yield alert
                newest = max(newest, alert.updated_at)
        except psycopg2.OperationalError:
            if not going_on:
                raise
        if not going_on:
            return
        time.sleep(FOLLOW_SECONDS)


def incident_lines(settings: Settings, *, since: datetime) -> Iterator[str]:
    """Events that were written after `since`, oldest first: status, when, words, distinct posts, a typical post."""
    with transaction(settings, application_name="groundswell alerts") as cursor:
        cursor.execute(query("incidents_updated_since"), {"since": since})
        for keyword, others, status, posts, opened_window, last_window, typical_post in cursor.fetchall():
            words = f"{keyword} (with {others})" if others else keyword
            span = f"{opened_window:%Y-%m-%d %H:%M} to {last_window:%H:%M}"
            yield f"{status.upper():<9} {span}  {words}: {posts:,} posts  {typical_post or ''}"


def main(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="go on with what comes, until Ctrl-C")
    ] = False,
    since: Annotated[datetime | None, typer.Option(help="changes after this moment (UTC) only")] = None,
    incidents: Annotated[
        bool, typer.Option("--incidents", help="one line an event: alerts that share their posts together")
    ] = False,
) -> None:
    """Print alerts: what happened, when, severity, keyword, posts, expected, distinct authors, a link to a post."""
    try:
        start = since.replace(tzinfo=UTC) if since else BEGINNING
        if incidents:
            if follow:
                raise BadInputError(
                    "--incidents shows events as they are now and follows nothing. Leave out --follow."
                )
            for line in incident_lines(read_settings(), since=start):
                print(line)
            return
        for alert in news_of(read_settings(), since=start, follow=lambda: follow):
            print(alert, flush=True)
    except KeyboardInterrupt:
        pass
    except psycopg2.OperationalError as error:
        raise SystemExit(
            f"alerts.listing: Postgres does not answer ({str(error).strip()}). Start it with `make up`."
        ) from error
    except GroundswellError as error:
        raise SystemExit(f"alerts.listing: {error}") from error


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
