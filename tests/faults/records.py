"""F6 to F9: records that are not posts, impossible event times, posts delivered again, late posts."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.faults.feed import POSTS_A_PORTION, SECONDS_A_POST, START, Record, portion, post_id_of, value_of
from tests.faults.report import Outcome
from tests.faults.stage import Stage

PORTIONS = 4
FUZZED = 300
LARGEST_BYTES = 10_000_000


def poison(stage: Stage) -> Outcome:
    """F6: poison among the posts, listed and fuzzed, and a line that the producer rejected."""
    rng = random.Random(stage.seed)
    bad, good = list(_poison()), list(_odd_posts())
    fuzzed = [Record(_fuzz(rng), rejected=True) for _ in range(FUZZED)]
    with stage.world("F6") as world:
        world.start()
        for records in (bad, fuzzed, good):
            world.send_portions(world.portions + 1)
            world.send(records)
        world.send(
            [Record(json.dumps({"reason": "not JSON"}).encode(), rejected=True)],
            topic=world.settings.rejected_topic,
            partition=0,
        )
        done = (
            f"{len(bad)} kinds of poison up to 10 MB, {FUZZED} fuzzed records, {len(good)} odd posts, "
            "1 line the producer rejected"
        )
        return Outcome("F6", done, world.audit(stage.undisturbed))


def impossible_times(stage: Stage) -> Outcome:
    """F7: records dated after Kafka's time, before 1970 or not at all, then posts that must still count."""
    with stage.world("F7") as world:
        world.start()
        for _ in range(PORTIONS):
            world.send_portions(world.portions + 1)
            world.send(_impossible(datetime.now(UTC)))
            world.catch_up()
        return Outcome(
            "F7",
            f"{PORTIONS} times 4 dates ahead, 2 before 1970, 11 that are not dates",
            world.audit(stage.undisturbed),
        )


def _impossible(now: datetime) -> list[Record]:
    """Return records none of which may count; the nearest date is a minute past what is allowed at `now`."""
    ahead = [
        now + timedelta(minutes=6),
        now + timedelta(days=1),
        now + timedelta(days=365),
        datetime(9999, 1, 1, tzinfo=UTC),
    ]
    before = [datetime(1969, 12, 31, 23, 59, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)]
    no_dates: list[object] = ["NaN", "Infinity", "-Infinity", "1e400", "soon", "", "0x10", None, True, [], {}]
    values = [value_of(700 + number, at, "word1x") for number, at in enumerate([*ahead, *before])]
    values += [
        json.dumps({"itemInfos": {"id": "800", "text": "word1x"}, "time_stamp": text}).encode()
        for text in no_dates
    ]
    return [Record(value, rejected=True) for value in values]


def delivered_again(stage: Stage) -> Outcome:
    """F8: posts delivered again: in their window, after a restart, with another text, ten minutes later."""
    with stage.world("F8") as world:
        world.start()
        for number in range(PORTIONS):
            world.send_portions(number + 1)
            if number:
                before = _last_minutes(portion(stage.seed, number - 1))
                world.send([_moved(record, index) for index, record in enumerate(before)])
            world.catch_up()
            recent = _last_minutes(portion(stage.seed, number))
            world.send([*recent, *(_edited(record) for record in recent)])
            if number % 2:
                world.catch_up()
                world.stop()
                world.start()
                world.send(recent)
        done = (
            f"the newest posts of {PORTIONS} portions again, with edited text, ten minutes later, "
            f"and after {PORTIONS // 2} restarts"
        )
        return Outcome("F8", done, world.audit(stage.undisturbed))


def late_posts(stage: Stage) -> Outcome:
    """F9: posts delayed within the lateness count, posts delayed for hours are late; each is sent again."""
    with stage.world("F9") as world:
        world.start()
        first = portion(stage.seed, 0)
        delayed = first[-60:]
        world.send(first[:-60])
        world.portions = 1
        world.send_portions(2)
        world.catch_up()
        world.send(delayed)
        world.send_portions(8)
        world.catch_up()
        old = START - timedelta(hours=3)
        late = [Record(value_of(post_id_of(number, old), old, "lateword"), late=True) for number in range(40)]
        again = [replace(record, late=True) for record in first[:50]]
        world.send(late)
        world.send(again)
        world.catch_up()
        world.send(late)
        done = (
            f"{len(delayed)} posts delayed within the lateness; {len(late)} new and {len(again)} known ones "
            "beyond it, twice"
        )
        return Outcome("F9", done, world.audit(stage.undisturbed))


def _last_minutes(records: list[Record]) -> list[Record]:
    """Return the posts of the last five minutes of a portion."""
    return records[-int(300 / SECONDS_A_POST) :]


def _edited(record: Record) -> Record:
    """Return the same post with another text, which must not count, because its first delivery did."""
    return _changed(record, text="edited since", later_seconds=0.0)


def _moved(record: Record, number: int) -> Record:
    """Return the same post ten minutes later, with a word of its own: it counts if that is another window."""
    return _changed(record, text=f"moved{number}y", later_seconds=600.0)


def _changed(record: Record, *, text: str, later_seconds: float) -> Record:
    post = json.loads(record.value or b"{}")
    post["itemInfos"]["text"] = text
    post["time_stamp"] += later_seconds
    return Record(json.dumps(post).encode())


def _poison() -> Iterator[Record]:
    """Yield records that are not usable posts."""
    at = START.timestamp()
    texts = [
        b"not json",
        b"",
        b" ",
        b"\xff\xfe\x00",
        b"null",
        b"true",
        b"7",
        b'"text"',
        b"[]",
        b"{}",
        b'{"itemInfos": null}',
        b'{"itemInfos": 7}',
        b'{"itemInfos": []}',
        b'{"itemInfos": {"id": "7"}}',
        b'{"itemInfos": {"id": "7"}, "time_stamp"',
        b"\x00" * 1_000,
        b"{" * 100_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b"[" * 5_000 + b"]" * 5_000,
        b"x" * LARGEST_BYTES,
        b'{"itemInfos": {"text": "' + b"y" * LARGEST_BYTES + b'"}}',
        b'{"itemInfos": {"id": "1", "text": "\xff\xfe"}}',
        b'\xef\xbb\xbf{"itemInfos": {}}',
        "{\u202e}".encode(),
        b'{"itemInfos": {"text": "\\u0000 \\ud800"}}',
    ]
    too_large = ["9223372036854775808", "99999999999999999999"]
    ids: list[object] = [
        "",
        "abc",
        "-7",
        "0",
        "7.5",
        *too_large,
        " 7",
        "7\u0000",
        "\u0667",
        "\ud800",
        [],
        {},
        None,
        False,
    ]
    yield Record(None, rejected=True)
    yield from (Record(text, rejected=True) for text in texts)
    for post_id in ids:
        yield Record(
            json.dumps({"itemInfos": {"id": post_id, "text": "word1x"}, "time_stamp": at}).encode(),
            rejected=True,
        )


def _odd_posts() -> Iterator[Record]:
    """Yield usable posts with text that breaks naive readers; none has a word of the feed."""
    at = START + timedelta(seconds=SECONDS_A_POST * (3 * POSTS_A_PORTION - 1))
    texts = [
        "nul\u0000inside",
        "half \ud800 a pair",
        "\u202egnorw yaw",
        "a" * 1_000_000,
        "'; DROP TABLE anomaly_alerts; --",
        "\\N\t\n",
        "%s %(x)s",
        "",
    ]
    for number, text in enumerate(texts, start=900_000):
        yield Record(value_of(post_id_of(number, at), at, text))


def _fuzz(rng: random.Random) -> bytes:
    """Return a post with bytes cut off or replaced so that it is no longer JSON."""
    value = value_of(rng.randrange(1, 2**62), START, "word1x")
    kept = value[: rng.randrange(1, len(value) - 1)]
    return bytes(rng.randrange(256) if rng.random() < 0.05 else byte for byte in kept).replace(b"}", b"{")
