"""Health checks of the streaming process: from queries, disks and tables to operator_alerts and the log."""

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
from streaming.supervised import Supervised

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=60)
"""Age up to which a query's progress says anything about its lag."""
STATEMENT_SECONDS = 10


class HealthChecks:
    """Runs all checks and writes the results; remembers the restarts of the last minutes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._restarts: defaultdict[str, deque[tuple[float, int]]] = defaultdict(
            lambda: deque([(float("-inf"), 0)])
        )

    def run(self, queries: Sequence[Supervised]) -> None:
        """Run all checks once; raises psycopg2.Error or OSError, after which it can be called again."""
        now = time.monotonic()
        checks = [check for supervised in queries for check in self._check_query(supervised, now)]
        checks += check_disks(self._settings)
        with transaction(self._settings, application_name="groundswell operator") as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")
            decision = save_checks(cursor, [*checks, *check_tables(cursor, self._settings)])
        _log_decision(decision)

    def _check_query(self, supervised: Supervised, now: float) -> Iterator[Check]:
        restarts = self.count_restarts(supervised.name, supervised.counters.restarts, now)
        yield check_restarts(supervised.name, restarts, limit=self._settings.operator_restarts)
        yield check_stopped(supervised.name, supervised.fatal_error)
        progress = supervised.progress
        if progress is not None and observed_now() - progress.observed_at < FRESH:
            yield check_lag(supervised.name, progress.lag_records, limit=self._settings.operator_lag_records)

    def count_restarts(self, name: str, total: int, now: float) -> int:
        """Return the restarts of the last RESTART_MINUTES.

        `total` is the number since the process started, `now` is in monotonic seconds.
        """
        before = self._restarts[name]
        before.append((now, total))
        while len(before) > 1 and before[1][0] <= now - RESTART_MINUTES * 60:
            before.popleft()
        return total - before[0][1]


def check_tables(cursor: Cursor, settings: Settings) -> Iterator[Check]:
    """Check what only Postgres knows: the share of rejected records, and how old the statistics are."""
    cursor.execute(query("operator_signs"))
    for rejected, archived, next_day, days_behind in cursor.fetchall():
        yield check_rejected(settings.posts_topic, rejected, archived, limit=settings.operator_rejected_share)
        if days_behind is not None:
            yield check_statistics(next_day, days_behind, limit=settings.operator_statistics_days)


def check_disks(settings: Settings) -> list[Check]:
    """Check the disks of checkpoints and Spark's scratch files, each once; skips what is not local."""
    checks: dict[int, Check] = {}
    scratch = (settings.spark_local_dir or tempfile.gettempdir()).split(",")
    for location in (settings.checkpoint_dir, *scratch):
        parts = urlsplit(location)
        if parts.scheme in ("", "file"):
            folder = Path(parts.path if parts.scheme else location).resolve()
            existing = next(path for path in (folder, *folder.parents) if path.exists())
            usage = shutil.disk_usage(existing)
            # Like df: what is reserved for root counts as neither used nor free.
            used_share = usage.used / max(usage.used + usage.free, 1)
            check = check_disk(str(folder), used_share, limit=settings.operator_disk_share)
            checks.setdefault(os.stat(existing).st_dev, check)
    return list(checks.values())


def _log_decision(decision: Decision) -> None:
    for check in decision.opened:
        log.warning("operator alert opened: %s of %s: %s", check.kind, check.subject, check.message)
    for kind, subject in decision.resolved:
        log.info("operator alert resolved: %s of %s", kind, subject)
