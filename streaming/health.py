"""Looks at the streaming process for its operator: queries, disks and tables in, rows of operator_alerts and lines of the log out."""

import logging
import os
import shutil
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from psycopg2.extensions import cursor as Cursor

from core.health import (
    RESTART_MINUTES,
    Check,
    Decision,
    check_disk,
    check_lag,
    check_rejected,
    check_restarts,
    check_statistics,
    check_stopped,
)
from core.settings import Settings
from sql.connection import query, transaction
from sql.health import save_checks
from streaming.progress import observed_now
from streaming.supervisor import Supervised

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=60)
"""How old a query's progress may be to say how far it is behind."""
STATEMENT_SECONDS = 10


class HealthChecks:
    """Looks, and writes what it finds; remembers the restarts of the last minutes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._restarts: defaultdict[str, deque[tuple[float, int]]] = defaultdict(
            lambda: deque([(float("-inf"), 0)])
        )

    def run(self, queries: Sequence[Supervised]) -> None:
        """Check at everything once; raises psycopg2.Error or OSError, and checks again when it is called again."""
        now = time.monotonic()
        checks = [run for supervised in queries for run in self._check_query(supervised, now)]
        checks += check_disks(self._settings)
        with transaction(self._settings, application_name="groundswell operator") as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")
            decision = save_checks(cursor, [*checks, *check_tables(cursor, self._settings)])
        _log_decision(decision)

    def _check_query(self, supervised: Supervised, now: float) -> Iterator[Check]:
        restarts = self.count_restarts(supervised.name, supervised.restarts, now)
        yield check_restarts(supervised.name, restarts, limit=self._settings.operator_restarts)
        yield check_stopped(supervised.name, supervised.fatal_error)
        progress = supervised.progress
        if progress is not None and observed_now() - progress.observed_at < FRESH:
            yield check_lag(supervised.name, progress.lag_records, limit=self._settings.operator_lag_records)

    def count_restarts(self, name: str, total: int, now: float) -> int:
        """Restarts of the last RESTART_MINUTES, of `total` since the process began; `now` in monotonic seconds."""
        before = self._restarts[name]
        before.append((now, total))
        while len(before) > 1 and before[1][0] <= now - RESTART_MINUTES * 60:
            before.popleft()
        return total - before[0][1]


def check_tables(cursor: Cursor, settings: Settings) -> Iterator[Check]:
    """What Postgres alone knows: the share of rejected records, and how old the statistics are."""
    cursor.execute(query("operator_signs"))
    for rejected, archived, next_day, days_behind in cursor.fetchall():
        yield check_rejected(settings.posts_topic, rejected, archived, limit=settings.operator_rejected_share)
        if days_behind is not None:
            yield check_statistics(next_day, days_behind, limit=settings.operator_statistics_days)


def check_disks(settings: Settings) -> list[Check]:
    """The disks of the checkpoints and of Spark's scratch files, each once; what is no local folder cannot be looked at."""
    checks: dict[int, Check] = {}
    for place in (settings.checkpoint_dir, *(settings.spark_local_dir or tempfile.gettempdir()).split(",")):
        parts = urlsplit(place)
        if parts.scheme in ("", "file"):
            folder = Path(parts.path if parts.scheme else place).resolve()
            there = next(path for path in (folder, *folder.parents) if path.exists())
            usage = shutil.disk_usage(there)
            # As df counts: what is kept for root alone is neither used nor free.
            used_share = usage.used / max(usage.used + usage.free, 1)
            checks.setdefault(
                os.stat(there).st_dev, check_disk(str(folder), used_share, limit=settings.operator_disk_share)
            )
    return list(checks.values())


def _log_decision(decision: Decision) -> None:
    for run in decision.opened:
        log.warning("operator alert opened: %s of %s: %s", run.kind, run.subject, run.message)
    for kind, subject in decision.resolved:
        log.info("operator alert resolved: %s of %s", kind, subject)
