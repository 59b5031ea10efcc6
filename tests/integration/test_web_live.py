"""Laws of the live channel: every change that a user would see arrives once and in order."""

import asyncio
from contextlib import closing

import pytest

from core.settings import Settings
from sql.connection import connect, query, transaction
from tests.alert_rows import add_alert, id_of
from tests.tables import rows
from web.live import QUEUE_EVENTS, Live, encoded, read_events


def kinds(settings: Settings, after: int) -> list[tuple[str, str]]:
    with transaction(settings) as cursor:
        return [(event["kind"], event["keyword"]) for event in read_events(cursor, after, most=100)]


def newest(settings: Settings) -> int:
    return int(rows(settings, "SELECT coalesce(max(event_id), 0) FROM alert_events")[0][0])


def test_every_change_a_user_would_see_is_an_event(settings: Settings) -> None:
    add_alert(settings, "snow", provisional=True, severity="notable", posts=20)
    for change in (
        "posts = 21",
        "provisional = false",
        "severity = 'strong'",
        "severity = 'notable'",
        "posts = 64",
        "updated_at = now()",
        "status = 'resolved', resolved_at = '2026-01-02 20:00Z'",
    ):
        rows(settings, f"UPDATE anomaly_alerts SET {change}")
    rows(settings, "INSERT INTO alert_labels (alert_id, label) VALUES (%s::uuid, 'real')", id_of("snow"))
    insert = "INSERT INTO incidents VALUES (%s::uuid, 'snow', 'open', now(), now(), 9, 1)"
    rows(settings, insert, id_of("snow"))
    for members in (2, 2, 3):
        rows(settings, "UPDATE incidents SET members = %s", members)
    drop = "INSERT INTO drop_alerts VALUES ('ice', now(), now(), NULL, 1, 9, -7)"
    rows(settings, drop)
    rows(settings, "UPDATE drop_alerts SET posts = 2")
    rows(settings, "UPDATE drop_alerts SET resolved_at = now()")
    changes = ["opened", "confirmed", "stronger", "grown", "resolved", "labelled", "grouped", "grouped"]
    assert kinds(settings, 0) == [
        *((kind, "snow") for kind in changes),
        ("dropped", "ice"),
        ("recovered", "ice"),
    ]


def test_an_event_of_a_transaction_that_commits_late_is_not_skipped(settings: Settings) -> None:
    with closing(connect(settings)) as late, late, late.cursor() as cursor:
        cursor.execute("SELECT add_alert_event('opened', 'late', NULL)")
        rows(settings, "SELECT add_alert_event('opened', 'early', NULL)")
        assert kinds(settings, 0) == []
    assert kinds(settings, 0) == [("opened", "late"), ("opened", "early")]


def test_a_listener_that_got_nothing_yet_knows_from_where_to_resume(settings: Settings) -> None:
    rows(settings, "SELECT add_alert_event('opened', 'before', NULL)")

    async def first_of(after: int | None) -> bytes:
        live = Live(settings)
        live.start(asyncio.get_running_loop())
        try:
            while not live.is_listening:
                await asyncio.sleep(0.01)
            return await anext(live.stream(after))
        finally:
            await asyncio.to_thread(live.stop)

    known = newest(settings)
    assert asyncio.run(first_of(None)) == b"id: %d\nretry: 2000\n\n" % known
    assert asyncio.run(first_of(known)) == b"retry: 2000\n\n"
    of_another_database = asyncio.run(first_of(known + 10))
    assert of_another_database == b"id: %d\nretry: 2000\n\nevent: reset\ndata: {}\n\n" % known


async def events_of(live: Live, count: int, *, after: int | None = None) -> list[bytes]:
    received = []
    async for item in live.stream(after):
        if item.startswith(b"id:"):
            received.append(item)
        if len(received) == count:
            break
    return received


def test_all_listeners_get_every_event_once_and_one_that_comes_back_resumes(settings: Settings) -> None:
    async def listen() -> None:
        live = Live(settings)
        live.start(asyncio.get_running_loop())
        try:
            listeners = [asyncio.create_task(events_of(live, 30)) for _ in range(5)]
            while live.listeners < 5 or not live.is_listening:
                await asyncio.sleep(0.01)
            for number in range(30):
                await asyncio.to_thread(
                    rows, settings, f"SELECT add_alert_event('opened', 'w{number}', NULL)"
                )
            received = await asyncio.wait_for(asyncio.gather(*listeners), 20)
            assert all(items == received[0] for items in received)
            assert [item.count(b'"w%d"' % number) for number, item in enumerate(received[0])] == [1] * 30
            resumed = await asyncio.wait_for(events_of(live, 20, after=newest(settings) - 20), 10)
            assert resumed == received[0][10:]
        finally:
            await asyncio.to_thread(live.stop)

    asyncio.run(listen())


def test_a_listener_that_reads_too_slowly_is_closed(settings: Settings) -> None:
    async def listen() -> None:
        live = Live(settings)
        stream = live.stream(None)
        await anext(stream)
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        event = {"event_id": 1, "kind": "opened"}
        for number in range(QUEUE_EVENTS + 2):
            live.hand_out(encoded(event | {"event_id": number + 1}))
        with pytest.raises(StopAsyncIteration):
            await waiting
        assert live.listeners == 0

    asyncio.run(listen())


def test_the_live_channel_survives_a_lost_connection(settings: Settings) -> None:
    async def listen() -> None:
        live = Live(settings, poll_seconds=0.2)
        live.start(asyncio.get_running_loop())
        try:
            listener = asyncio.create_task(events_of(live, 1))
            while live.listeners < 1 or not live.is_listening:
                await asyncio.sleep(0.01)
            end = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'groundswell web live' AND datname = current_database()"
            )
            await asyncio.to_thread(rows, settings, end)
            await asyncio.to_thread(rows, settings, "SELECT add_alert_event('opened', 'again', NULL)")
            [item] = await asyncio.wait_for(listener, 10)
            assert b'"again"' in item
        finally:
            await asyncio.to_thread(live.stop)

    asyncio.run(listen())


def test_events_are_forgotten_after_some_days(settings: Settings) -> None:
    rows(settings, "SELECT add_alert_event('opened', 'old', NULL), add_alert_event('opened', 'new', NULL)")
    rows(settings, "UPDATE alert_events SET happened_at = now() - interval '31 days' WHERE keyword = 'old'")
    with transaction(settings) as cursor:
        cursor.execute(query("forget_alert_events"), {"days": 30})
    assert kinds(settings, 0) == [("opened", "new")]
