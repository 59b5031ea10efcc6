"""Turn the lines of the inputs into records for Kafka: posts with their time stamp, and rejected records."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from producer.clocks import Clock, ClockName
from producer.delivery import Record
from producer.pacing import Pacer
from producer.posts import MICROSECONDS, NotAPost, read_record, usable_id, with_time_stamp
from producer.rejects import Rejects
from producer.resume import Position
from producer.sources import MAX_LINE_BYTES, Input, Line
from producer.summary import SendSummary

LINES_BETWEEN_CHECKS = 200
MAX_AHEAD_SECONDS = 300.0
Numbered = tuple[str, Line, Position]
"""A line with the name of its file, and the position after it."""


def read_lines(
    inputs: Sequence[Input], start: Position, *, is_stopped: Callable[[], bool]
) -> Iterator[Numbered]:
    """Yield every line after `start` with the name of its file and the position after it.

    Standard input ends once `is_stopped`.
    """
    for number, source in enumerate(inputs):
        if number < start.input:
            continue
        first = start if number == start.input else Position(number)
        for line in source.lines(offset=first.offset, number=first.line, is_stopped=is_stopped):
            yield source.name, line, Position(number, line.end, line.number)


def outgoing_records(
    lines: Iterable[Numbered],
    stamper: "PostStamper",
    rejects: Rejects,
    summary: SendSummary,
    *,
    limit: int | None,
    check: Callable[[], None],
) -> Iterator[tuple[Record, Position]]:
    """Yield a record for every line that is not blank, with the position after the line; raises Stopped.

    Ends after `limit` posts. Counts lines and blank lines in `summary`, and calls `check` every 200 lines.
    """
    posts = 0
    for file, line, position in lines:
        summary.lines += 1
        if summary.lines % LINES_BETWEEN_CHECKS == 0:
            check()
        body = line.data.strip()
        if not body:
            summary.blank += 1
            continue
        try:
            record = stamper.stamp(body, line.length, file_number=position.input)
            posts += 1
        except NotAPost as error:
            record = rejects.record_for(file, line, error)
        yield record, position
        if posts == limit:
            return


class PostStamper:
    """Makes records for the posts' topic: waits until a post is due and adds its `time_stamp`."""

    def __init__(
        self, topic: str, clock: Clock, pacer: Pacer, *, summary: SendSummary, check: Callable[[], None]
    ) -> None:
        """Count posts more than five minutes ahead of the clock in `summary`; call `check` while waiting."""
        self._topic = topic
        self._clock = clock
        self._pacer = pacer
        self._summary = summary
        self._check = check

    def stamp(self, body: bytes, length: int, *, file_number: int) -> Record:
        """Return the post in `body` as a record once it is due; raises NotAPost and Stopped.

        `length`: bytes of the whole line; of a line over 10 MB, `body` is only the beginning.
        """
        if length > MAX_LINE_BYTES:
            raise NotAPost("longer than 10 MB", f"{length:,} bytes")
        post = read_record(body)
        post_id = usable_id(post)
        microseconds = self._clock.moment(post, post_id)
        self._pacer.wait_until_due(microseconds / MICROSECONDS, self._check)
        if self._pacer.is_paced and self._clock.name is ClockName.NOW:
            microseconds = self._clock.moment(post, post_id)
        if microseconds > (time.time() + MAX_AHEAD_SECONDS) * MICROSECONDS:
            self._summary.ahead_of_clock += 1
        value = with_time_stamp(body, post, microseconds, collected_ms=self._clock.collected_ms(file_number))
        return Record(self._topic, b"%d" % post_id, value)
