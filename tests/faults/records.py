"""F6 to F9: records that are no posts, event times that cannot be, posts delivered again, posts that come late."""

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
    """F6: poison among the posts, by name and by chance, and a line that the producer rejected."""
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
        found = world.audit(stage.undisturbed)
        done = f"{len(bad)} kinds of poison up to 10 MB, {FUZZED} fuzzed records, {len(good)} odd posts, 1 line the producer rejected"
        return Outcome("F6", done, found)


def impossible_times(stage: Stage) -> Outcome:
    """F7: records dated ahead of Kafka's time, before 1970, and without a date; then posts that must still count."""
    with stage.world("F7") as world:
        world.start()
        for _ in range(PORTIONS):
            world.send_portions(world.portions + 1)
            world.send(_impossible(datetime.now(UTC)))
            world.catch_up()
        return Outcome(
            "F7",
            f"{PORTIONS} times 4 dates ahead, 2 before 1970, 11 that are no date",
            world.audit(stage.undisturbed),
        )


def _impossible(now: datetime) -> list[Record]:
    """Records of which none may count; the nearest date lies a minute behind what is allowed at `now`."""
    ahead = [
        now + timedelta(minutes=6),
        now + timedelta(days=1),
        now + timedelta(days=365),
        datetime(9999, 1, 1, tzinfo=UTC),
    ]
    before = [datetime(1969, 12, 31, 23, 59, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)]
    no_dates: list[object] = ["NaN", "Infinity", "-Infinity", "1e400", "soon", "", "0x10", None, True, [], {}]
    values = [value_of(700 + place, at, "word1x") for place, at in enumerate([*ahead, *before])]
    values += [
        json.dumps({"itemInfos": {"id": "800", "text": "word1x"}, "time_stamp": text}).encode()
        for text in no_dates
    ]
    return [Record(value, rejected=True) for value in values]


def delivered_again(stage: Stage) -> Outcome:
    """F8: posts delivered again in their window, after a restart, with another text, and ten minutes on, in another window."""
    with stage.world("F8") as world:
        world.start()
        for number in range(PORTIONS):
            world.send_portions(number + 1)
            if number:
                world.send(
                    [
                        _moved(record, place)
                        for place, record in enumerate(_last_minutes(portion(stage.seed, number - 1)))
                    ]
                )
            world.catch_up()
            recent = _last_minutes(portion(stage.seed, number))
            world.send([*recent, *(_edited(record) for record in recent)])
            if number % 2:
                world.catch_up()
                world.stop()
                world.start()
                world.send(recent)
        done = f"the newest posts of {PORTIONS} portions again, with edited text, ten minutes on, and after {PORTIONS // 2} restarts"
        return Outcome("F8", done, world.audit(stage.undisturbed))


def late_posts(stage: Stage) -> Outcome:
    """F9: posts held back for less than the lateness count, those held back for hours are late; each is sent again later."""
    with stage.world("F9") as world:
        world.start()
        first = portion(stage.seed, 0)
        held = first[-60:]
        world.send(first[:-60])
        world.portions = 1
        world.send_portions(2)
        world.catch_up()
        world.send(held)
        world.send_portions(8)
        world.catch_up()
        old = START - timedelta(hours=3)
        late = [Record(value_of(post_id_of(place, old), old, "lateword"), late=True) for place in range(40)]
        again = [replace(record, late=True) for record in first[:50]]
        world.send(late)
        world.send(again)
        world.catch_up()
        world.send(late)
        done = f"{len(held)} posts held back within the lateness; {len(late)} and {len(again)} known ones behind it, twice"
        return Outcome("F9", done, world.audit(stage.undisturbed))


def _last_minutes(records: list[Record]) -> list[Record]:
    """The posts of the last five minutes of a portion."""
    return records[-int(300 / SECONDS_A_POST) :]


def _edited(record: Record) -> Record:
    """The same post with another text, which must not count, because its first delivery did."""
    return _changed(record, text="edited since", later_seconds=0.0)


def _moved(record: Record, place: int) -> Record:
    """The same post ten minutes on, with a word that no other has: it counts where that is another window."""
    return _changed(record, text=f"moved{place}y", later_seconds=600.0)


def _changed(record: Record, *, text: str, later_seconds: float) -> Record:
    post = json.loads(record.value or b"{}")
    post["itemInfos"]["text"] = text
    post["time_stamp"] += later_seconds
    return Record(json.dumps(post).encode())


def _poison() -> Iterator[Record]:
    """Records that are no usable posts."""
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
    """Usable posts with text that breaks naive readers; none of them in a word of the feed."""
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
    for place, text in enumerate(texts):
        yield Record(value_of(post_id_of(900_000 + place, at), at, text))


def _fuzz(rng: random.Random) -> bytes:
    """A post with some bytes cut off or replaced so that it is no JSON any more."""
    value = value_of(rng.randrange(1, 2**62), START, "word1x")
    kept = value[: rng.randrange(1, len(value) - 1)]
    return bytes(rng.randrange(256) if rng.random() < 0.05 else byte for byte in kept).replace(b"}", b"{")
