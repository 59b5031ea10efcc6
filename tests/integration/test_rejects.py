"""Which records of the archive become rows of `rejected_records`."""

import json
from collections.abc import Callable

from pyspark.sql import SparkSession

from batch.audit import audit
from core.settings import Settings
from streaming.rejects import store_rejected_records
from tests.archived import KAFKA_TIME, archive_posts
from tests.tables import rows


def test_records_of_a_further_topic_are_not_rejected(
    settings: Settings, spark_for: Callable[[Settings], SparkSession]
) -> None:
    lake = spark_for(settings)
    archive_posts(lake, settings, [b"not json"])
    archive_posts(
        lake, settings, [json.dumps({"reason": "not JSON"}).encode()], topic=settings.rejected_topic
    )
    archive_posts(lake, settings, [b'{"comment": "first!"}'], topic="comments")
    assert store_rejected_records(lake, settings) == 2
    assert rows(settings, "SELECT topic, reason FROM rejected_records ORDER BY reason DESC") == [
        (settings.posts_topic, "the value is not a JSON object"),
        (settings.rejected_topic, "not sent by the producer: not JSON"),
    ]
    found = audit(lake, settings, KAFKA_TIME.date(), KAFKA_TIME.date())
    assert (found.rejected, found.rejected_rows) == (2, 2)
