"""What a run observes while it waits: how far the streaming process is, and which alerts it has raised."""

import contextlib
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg2

from alerts.listing import AlertLine, news_of
from core.settings import Settings
from deploy.local.demo.stages import Screen
from deploy.local.demo.world import Raised
from sql.connection import transaction

_STYLES = {"OPEN": "bold red", "EARLY": "yellow", "RESOLVED": "green", "WITHDRAWN": "dim"}


def lag_records(settings: Settings, query: str, *, seen_after: datetime) -> int | None:
    """Return the lag of `query` in records; None if it was not observed since `seen_after`."""
    with transaction(settings, application_name="groundswell run") as cursor:
        cursor.execute(
            "SELECT sum(greatest(end_offset - next_offset, 0)), min(observed_at) "
            "FROM pipeline_progress WHERE query = %s",
            (query,),
        )
        behind, observed_at = cursor.fetchone()  # type: ignore[misc]
    return None if observed_at is None or observed_at < seen_after else int(behind)


def newest_event_time(settings: Settings) -> datetime | None:
    """Return the newest event time that detection has seen; None if it has seen none."""
    with transaction(settings, application_name="groundswell run") as cursor:
        cursor.execute("SELECT max_event_time FROM detect_clock")
        row = cursor.fetchone()
    return row[0] if row else None


def alerts_of_day(settings: Settings, day: date) -> list[Raised]:
    """Return the alerts that opened on `day` (UTC) and were not withdrawn."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    with transaction(settings, application_name="groundswell run") as cursor:
        cursor.execute(
            "SELECT keyword, opened_window, posts FROM anomaly_alerts WHERE status <> 'withdrawn' "
            "AND opened_window >= %s AND opened_window < %s ORDER BY opened_window, keyword",
            (start, start + timedelta(days=1)),
        )
        return [Raised(*row) for row in cursor.fetchall()]


def is_learned(settings: Settings, day: date) -> bool:
    """Return whether the statistics as of `day` exist."""
    with transaction(settings, application_name="groundswell run") as cursor:
        cursor.execute("SELECT status = 'fitted' FROM batch_days WHERE day = %s", (day,))
        return (cursor.fetchone() or (False,))[0] is True


class AlertPrinter:
    """Prints alerts in the background as they change; `first_at`: Unix seconds of the first one."""

    def __init__(self, settings: Settings, screen: Screen) -> None:
        self._settings = settings
        self._screen = screen
        self._since = datetime.now(UTC)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._print, daemon=True)
        self.first_at: float | None = None

    def start(self) -> None:
        """Start printing."""
        self._thread.start()

    def finish(self) -> None:
        """Print the remaining alerts and stop."""
        self._ended.set()
        self._thread.join(10)

    def _print(self) -> None:
        # At the end of a run Postgres may stop before the last query.
        with contextlib.suppress(psycopg2.OperationalError):
            self._print_news()

    def _print_news(self) -> None:
        for alert in news_of(self._settings, since=self._since, follow=lambda: not self._ended.is_set()):
            if self.first_at is None:
                self.first_at = time.time()
            self._screen.say(alert.as_text(self._settings.web_url), style=self._style(alert))

    def _style(self, alert: AlertLine) -> str | None:
        return _STYLES.get(alert.news)


def detection_has_started(checkpoint_dir: str, log: Path, log_start: int) -> bool:
    """Return whether detection has started since `log_start` and has stored its starting offsets."""
    with log.open("rb") as file:
        file.seek(log_start)
        is_logged = b"detect: started" in file.read()
    return is_logged and (Path(checkpoint_dir) / "detect" / "sources" / "0" / "0").exists()
