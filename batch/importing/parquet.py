"""From blocks of lines to Parquet files of the archive, a day a file, and the one commit that makes them part of it."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyiceberg.io.pyarrow import write_file
from pyiceberg.manifest import DataFile
from pyiceberg.partitioning import PartitionFieldValue, PartitionKey
from pyiceberg.table import Table, WriteTask

from batch.importing.blocks import Block
from batch.importing.lines import Row, Rows, record_head
from batch.importing.objects import WholeObjects, told_if_away
from batch.importing.prevalidate import prevalidated_lines

DAY_MICROS = 86_400_000_000
BUFFER_BYTES = 96 * 1024 * 1024
"""Bytes of records that a worker keeps before it writes them; a file of one day has as many at most."""
ROW_GROUP_ROWS = 8_000
"""Some 3 MB compressed: a reader's task takes a row group at least (SPLIT_BYTES of archive.table)."""
COLUMNS = ("value", "key", "topic", "partition", "offset", "kafka_time", "event_time")


@dataclass(frozen=True)
class Job:
    """A block with what its rows have in common; the offset of a line is `base_offset` + its number."""

    block: Block
    partition: int
    base_offset: int
    taken_micros: int
    behind: int = 0
    """Number of a line up to which the archive has all lines already."""


@dataclass
class Done:
    """What became of a block: rows by topic, their days since 1970, and the rejected ones as rows of rejected_records."""

    partition: int
    counts: Counter[str] = field(default_factory=Counter)
    days: set[int] = field(default_factory=set)
    rejected_rows: list[tuple[object, ...]] = field(default_factory=list)


class FileWriter:
    """Collects rows by day and writes them."""

    def __init__(self, table: Table, rows: Rows) -> None:
        self._table = table
        self._rows = rows
        self._io = WholeObjects(table.io.properties, rows.settings)
        self._schema = table.schema().as_arrow()
        # Records are all different: a dictionary of them is work for nothing.
        writing = {
            "write.parquet.row-group-limit": str(ROW_GROUP_ROWS),
            "write.parquet.dict-size-bytes": "65536",
        }
        self._metadata = table.metadata.model_copy(
            update={"properties": {**table.metadata.properties, **writing}}
        )
        self._batches: dict[int | None, list[pa.RecordBatch]] = {}
        self._bytes = 0
        self._written: list[DataFile] = []

    def add(self, job: Job) -> Done:
        """Keep the rows of a block, and write all that is kept where it is much."""
        done = Done(job.partition)
        by_day: dict[int | None, list[tuple[int, Row]]] = {}
        for line, look in prevalidated_lines(job.block.lines()):
            if line.number <= job.behind:
                continue
            row = self._rows.row_from(line, file=job.block.file, taken_micros=job.taken_micros, look=look)
            if row is None:
                continue
            offset = job.base_offset + line.number
            done.counts[row.topic] += 1
            if row.event_micros is None:
                done.rejected_rows.append(
                    (row.topic, job.partition, offset, job.taken_micros, row.reason, record_head(row.value))
                )
            by_day.setdefault(
                None if row.event_micros is None else row.event_micros // DAY_MICROS, []
            ).append((offset, row))
        for day, rows in by_day.items():
            self._batches.setdefault(day, []).append(_batch(rows, job, self._schema))
            self._bytes += sum(len(row.value) for _, row in rows)
        done.days = {day for day in by_day if day is not None}
        if self._bytes > BUFFER_BYTES:
            self._write()
        return done

    def finish(self) -> list[DataFile]:
        """Write the rest; the files since the last call, which are not part of the archive before they are committed."""
        self._write()
        written, self._written = self._written, []
        return written

    def _write(self) -> None:
        spec, schema = self._table.spec(), self._table.schema()
        name = uuid.uuid4()
        tasks = (
            WriteTask(
                name,
                number,
                schema,
                batches,
                partition_key=PartitionKey([PartitionFieldValue(spec.fields[0], day)], spec, schema),
            )
            for number, (day, batches) in enumerate(self._batches.items())
        )
        with told_if_away(self._rows.settings):
            self._written += write_file(self._io, self._metadata, tasks)
        self._batches, self._bytes = {}, 0


def _batch(rows: Sequence[tuple[int, Row]], job: Job, schema: pa.Schema) -> pa.RecordBatch:
    """Rows as the archive's columns."""
    columns = {
        "value": _binary([row.value for _, row in rows], schema.field("value").type),
        "key": _binary([row.key for _, row in rows], schema.field("key").type),
        "topic": [row.topic for _, row in rows],
        "partition": pa.repeat(pa.scalar(job.partition, pa.int32()), len(rows)),
        "offset": [offset for offset, _ in rows],
        "kafka_time": pa.repeat(pa.scalar(job.taken_micros, schema.field("kafka_time").type), len(rows)),
        "event_time": [row.event_micros for _, row in rows],
    }
    return pa.record_batch(
        [pa.array(columns[name], schema.field(name).type) for name in schema.names], schema=schema
    )


def _binary(values: Sequence[bytes], binary_type: pa.DataType) -> pa.Array:
    """An array of byte strings, made at a third of what Arrow takes to look at one after the other."""
    ends = np.cumsum([0, *map(len, values)], dtype=np.int64)
    array = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(values))]
    )
    return array.cast(binary_type)


def commit_files(table: Table, files: Sequence[DataFile], summary: dict[str, str]) -> None:
    """Make `files` part of the archive, all of them or none; a commit of the stream in between is no obstacle."""
    table.refresh()
    with (
        table.transaction() as change,
        change.update_snapshot(snapshot_properties=summary).fast_append() as append,
    ):
        for file in files:
            append.append_data_file(file)
