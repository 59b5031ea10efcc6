"""Laws of dropping older deliveries: of an id, a merge finds in the rest what it would have found in all."""

import random
from typing import Any

import pyarrow as pa

from batch.tables.newest import newest_deliveries

SCHEMA = pa.schema(
    {
        "music_id": pa.int64(),
        "name": pa.string(),
        "first_seen": pa.timestamp("us", "UTC"),
        "last_seen": pa.timestamp("us", "UTC"),
        "kafka_partition": pa.int32(),
        "kafka_offset": pa.int64(),
        "collected_at": pa.timestamp("us", "UTC"),
    }
)


def rows(*values: tuple[Any, ...]) -> pa.RecordBatch:
    """Rows of id, name, event time, partition, offset and time of collection."""
    return pa.RecordBatch.from_pylist(
        [
            {
                "music_id": music_id,
                "name": name,
                "first_seen": seen,
                "last_seen": seen,
                "kafka_partition": partition,
                "kafka_offset": offset,
                "collected_at": collected,
            }
            for music_id, name, seen, partition, offset, collected in values
        ],
        SCHEMA,
    )


def merged(batches: list[pa.RecordBatch]) -> dict[int, list[tuple[Any, ...]]]:
    """What merge_music.sql makes of `batches`, by id: the rows that tie as the newest, and the earliest."""
    found: dict[int, list[dict[str, Any]]] = {}
    for row in (row for batch in batches for row in batch.to_pylist()):
        found.setdefault(row["music_id"], []).append(row)

    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        imported = min(row["kafka_offset"], 0)
        return (
            row["collected_at"],
            imported,
            row["last_seen"],
            row["kafka_offset"],
            row["kafka_partition"],
        )

    return {
        music_id: sorted(
            (*key(row), row["name"] or "", min(other["first_seen"] for other in of_id))
            for row in of_id
            if key(row) == max(map(key, of_id))
        )
        for music_id, of_id in found.items()
    }


def test_the_newest_delivery_remains_with_the_earliest_time():
    batch = rows((7, "old", 5, 0, 3, 100), (8, None, 1, 0, 3, 100), (7, "new", 9, 0, 4, 200))
    assert newest_deliveries(batch, "music_id").equals(
        pa.RecordBatch.from_pylist(
            [{**batch.to_pylist()[2], "first_seen": batch["first_seen"][0].as_py()}, batch.to_pylist()[1]],
            SCHEMA,
        )
    )


def test_no_rows_remain_no_rows():
    assert newest_deliveries(rows(), "music_id").num_rows == 0


def test_a_merge_of_what_remains_of_each_batch_is_that_of_all_rows():
    rng = random.Random(5)

    def a_row() -> tuple[Any, ...]:
        offset = rng.choice([rng.randrange(6), -(2**62) + rng.randrange(6)])
        seen, partition, collected = rng.randrange(4), rng.randrange(2), rng.randrange(3)
        return rng.randrange(9), rng.choice(["a", "b", None]), seen, partition, offset, collected

    batches = [rows(*(a_row() for _ in range(size))) for size in (40, 1, 80)]
    kept = [newest_deliveries(batch, "music_id") for batch in batches]
    assert sum(batch.num_rows for batch in kept) < 60
    assert merged(kept) == merged(batches)
