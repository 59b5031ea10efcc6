"""Days without posts: a run over several days marks each stretch of them at once and says it in one line."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from itertools import groupby

from batch.days import days_known_with_posts, period
from batch.statistics.learn import mark_empty
from core.settings import Settings
from sql.connection import query, transaction


def stretches(
    days: Sequence[date], archived: Collection[date], settings: Settings
) -> Iterator[tuple[list[date], bool]]:
    """Yield (days, whether they are quiet) in order: two days or more without posts are one quiet stretch.

    A day without posts in the archive is not quiet if the tables have posts of it: its steps must see that.
    `archived` are the days with posts in the archive. A single day is never quiet, whatever they are.
    """
    if len(days) == 1:
        yield list(days), False
        return
    with transaction(settings) as cursor:
        posted = {*archived} | days_known_with_posts(cursor)
    for has_posts, group in groupby(days, posted.__contains__):
        stretch = list(group)
        yield stretch, not has_posts and len(stretch) > 1


def mark_quiet(
    settings: Settings, days: Sequence[date], *, loaded: bool, trended: bool, learned: bool
) -> str:
    """Record that steps are done for `days`, which have no posts; return a line for the user."""
    with transaction(settings, application_name="groundswell batch") as cursor:
        for day in days:
            if loaded:
                cursor.execute(query("mark_day_loaded"), {"day": day, "posts": 0})
            if trended:
                cursor.execute(query("mark_day_trended"), {"day": day, "trends": 0})
        if learned:
            mark_empty(cursor, days)
    return f"{period(days)}  no posts in the archive"
