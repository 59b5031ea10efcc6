"""Three days of posts whose counts are known by hand, for tests of the step `statistics`."""

from datetime import UTC, date, datetime
from typing import Any

from batch.run import Batch, Step
from core.settings import Settings
from sql.connection import transaction
from tests.factories import a_post
from tests.tables import rows

DAYS = [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]
WORDS = ["snow", "#winter", "katze", "любовь"]
KEYWORDS = ["katze", "snow", "winter", "любовь"]
LATER = datetime(2026, 2, 1, tzinfo=UTC)


def post_at(day: date, seconds: float, post_id: int, text: str) -> dict[str, Any]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    return a_post(time_stamp=midnight + seconds, itemInfos={"id": str(post_id), "text": text})


def posts_of(day: date) -> list[dict[str, Any]]:
    """Two posts with the first word in every window, others now and then; two redeliveries, one edited."""
    first_id = 1000 * day.day
    posts = [
        post_at(day, 900 * window + second, first_id + 2 * window + second, text_of(window, second))
        for window in range(96)
        for second in (0, 1)
    ]
    edited = post_at(day, 5, first_id, "снег edited")
    in_the_next_window = post_at(day, 905, first_id, "snow again in another window")
    return [*posts, edited, in_the_next_window, post_at(day, 7, 0, "snow refused")]


def text_of(window: int, second: int) -> str:
    return " ".join(word for index, word in enumerate(WORDS) if (window + second) % (index + 1) == 0)


def counts_of(window: int) -> list[float]:
    """Posts of KEYWORDS in the window: each word is in every first, second, third or fourth post.

    Window 1 also has a post of window 0 again.
    """
    times = {
        word.strip("#"): sum((window + second) % (index + 1) == 0 for second in (0, 1))
        for index, word in enumerate(WORDS)
    }
    times["snow"] += window == 1
    return [float(times[keyword]) for keyword in KEYWORDS]


def report_archive(settings: Settings, *, lag: int, observed_at: datetime = LATER) -> None:
    """Report the archive query's progress, `lag` records behind in one of two partitions."""
    with transaction(settings) as cursor:
        cursor.execute("DELETE FROM pipeline_progress")
        cursor.executemany(
            "INSERT INTO pipeline_progress VALUES ('archive', %s, %s, 500, %s, %s)",
            [
                (settings.posts_topic, 0, 500, observed_at),
                (settings.posts_topic, 1, 500 + lag, observed_at),
            ],
        )


def learn(batch: Batch, *days: date) -> list[str]:
    return list(batch.run_days(days, [Step.STATISTICS]))


def statistics(settings: Settings) -> list[tuple[Any, ...]]:
    keywords = rows(settings, 'SELECT * FROM keyword_statistics ORDER BY as_of, keyword COLLATE "C"')
    return keywords + rows(settings, "SELECT * FROM traffic_statistics ORDER BY as_of, hour")
