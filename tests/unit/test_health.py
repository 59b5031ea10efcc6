"""When an operator alert opens, continues and resolves, without any server."""

import re
from datetime import date
from pathlib import Path

from core.health import (
    Decision,
    Kind,
    check_disk,
    check_lag,
    check_rejected,
    check_restarts,
    check_statistics,
    check_stopped,
    reconcile,
)
from streaming.health import HealthChecks, check_disks
from tests.factories import settings_without_servers

SETTINGS = settings_without_servers()
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
OPEN_LAG = {("lag", "detect"): 30.0}


def test_an_alert_opens_at_its_limit_and_not_below() -> None:
    at, below = check_lag("detect", 100, limit=100), check_lag("archive", 99, limit=100)
    assert reconcile({}, [at, below]) == Decision(opened=[at], seen=[], resolved=[])


def test_an_open_alert_continues_from_half_of_its_limit_on_and_is_not_opened_twice() -> None:
    for lag_records in (50, 99, 100, 1_000):
        check = check_lag("detect", lag_records, limit=100)
        assert reconcile(OPEN_LAG, [check]) == Decision(opened=[], seen=[check], resolved=[])


def test_it_resolves_below_half_of_its_limit() -> None:
    assert reconcile(OPEN_LAG, [check_lag("detect", 49, limit=100)]) == Decision([], [], [("lag", "detect")])


def test_an_alert_whose_subject_was_not_checked_stays_open() -> None:
    assert reconcile(OPEN_LAG, []) == Decision([], [], [])


def test_an_alert_whose_subject_was_not_checked_for_more_than_a_day_resolves() -> None:
    assert reconcile({("lag", "detect"): 86_401.0}, []) == Decision([], [], [("lag", "detect")])


def test_each_subject_and_each_kind_has_an_alert_of_its_own() -> None:
    other_query, other_kind = (
        check_lag("archive", 100, limit=100),
        check_stopped("detect", "its checkpoint cannot be read."),
    )
    assert reconcile(OPEN_LAG, [other_query, other_kind]).opened == [other_query, other_kind]


def test_each_kind_resolves_at_a_value_that_prevents_flapping() -> None:
    assert check_restarts("detect", 4, limit=3).resolve_below == 1
    assert check_stopped("detect", None).value < check_stopped("detect", None).resolve_below
    assert check_rejected("posts", 5, 10, limit=0.04)[2:5] == (0.005, 0.04, 0.02)
    assert round(check_disk("/checkpoints", 0.95, limit=0.9).resolve_below, 3) == 0.895
    assert check_disk("/checkpoints", 0.95, limit=1.0).resolve_below == 1.0
    assert check_statistics(date(2026, 1, 6), 2.5, limit=2)[2:5] == (2.5, 2, 2)


def test_a_message_says_what_to_do() -> None:
    assert check_lag("detect", 140_000, limit=1).message == (
        "detect is 140,000 records behind: wait if it is catching up after an outage or a replay, "
        "otherwise give it more cores."
    )
    assert check_statistics(date(2026, 1, 6), 2.5, limit=2).message == (
        "Detection is 2.5 days ahead of its statistics: run groundswell batch 2026-01-06, "
        "or find out why Airflow did not."
    )


def test_restarts_are_those_of_the_last_fifteen_minutes() -> None:
    alerts = HealthChecks(SETTINGS)
    seen = [
        alerts.count_restarts("detect", total, now)
        for now, total in ((0, 1), (600, 3), (890, 3), (901, 3), (1_501, 3), (1_502, 4))
    ]
    assert seen == [1, 3, 3, 2, 0, 1]


def test_each_local_disk_is_checked_once_by_path_or_uri_and_no_other_location(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(
        update={"checkpoint_dir": f"{tmp_path}/not/yet", "spark_local_dir": str(tmp_path)}
    )
    [check] = check_disks(settings)
    assert (check.kind, check.subject) == (Kind.DISK, f"{tmp_path}/not/yet")
    assert 0 < check.value < 1
    by_uri = check_disks(settings.model_copy(update={"checkpoint_dir": tmp_path.as_uri()}))
    assert [other.subject for other in by_uri] == [str(tmp_path)]
    elsewhere = check_disks(settings.model_copy(update={"checkpoint_dir": "hdfs://cluster/checkpoints"}))
    assert [other.subject for other in elsewhere] == [str(tmp_path)]


def test_the_operations_page_says_what_to_do_about_every_kind() -> None:
    table = OPERATIONS.read_text().partition("## What needs you")[2].partition("## When the stream stops")[0]
    documented = re.findall(r"^\| ([\w ]+) \| .+ \| .+ \| .+ \|$", table, re.M)
    assert documented == ["kind", *(kind.value for kind in Kind)]
