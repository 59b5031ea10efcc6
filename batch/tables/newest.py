"""Drop described rows that a merge would not use: older deliveries of an id within one batch."""

import numpy as np
import pyarrow as pa

from detection.arrays import Integers

ORDER = ("kafka_partition", "kafka_offset", "last_seen", "hand_in", "collected_at")
"""What decides which delivery is the newest, the least important first; as in merge_challenges.sql."""


def newest_deliveries(rows: pa.RecordBatch, id_column: str) -> pa.RecordBatch:
    """Return the rows of the newest delivery of each id, with the earliest first_seen of all its rows.

    Columns in and out: `id_column` (bigint, not null), first_seen, last_seen, collected_at, kafka_partition
    and kafka_offset, and any others. The order is that of `merge_challenges.sql` and `merge_music.sql`, which
    therefore give the same result. A delivery that lists an id twice keeps both rows. A challenge is in many
    posts: a batch of 10,000 real posts lists each of its challenges several times.
    """
    if not rows.num_rows:
        return rows
    ids = _integers(rows, id_column)
    keys = {name: _integers(rows, name) for name in ORDER if name != "hand_in"}
    keys["hand_in"] = np.minimum(keys["kafka_offset"], 0)
    order = np.lexsort([*(keys[name] for name in ORDER), ids])
    is_first = np.append(True, np.diff(ids[order]) != 0)
    starts = np.flatnonzero(is_first)
    group = np.cumsum(is_first) - 1
    newest = order[np.append(starts[1:], len(order)) - 1]
    is_newest = np.logical_and.reduce([key[order] == key[newest][group] for key in keys.values()])
    earliest = np.minimum.reduceat(_integers(rows, "first_seen")[order], starts)
    first_seen = pa.array(earliest[group][is_newest]).cast(rows.schema.field("first_seen").type)
    kept = rows.take(pa.array(order[is_newest]))
    return kept.set_column(rows.schema.get_field_index("first_seen"), "first_seen", first_seen)


def _integers(rows: pa.RecordBatch, name: str) -> Integers:
    numbers: Integers = rows.column(name).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers
