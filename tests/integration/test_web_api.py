"""Laws of the API: pages of a list join without a gap, errors are problems, ids are texts."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from core.settings import Settings
from tests.alert_rows import OPENED, add_alert, add_post, id_of, set_clock
from tests.tables import rows
from web.app import create_app
from web.schemas import Window

WORDS = [f"w{number}" for number in range(7)]


@pytest.fixture(scope="module")
def world(module_settings: Settings) -> Settings:
    """Seven alerts, two of each window but one; w0 has a post with an id beyond 2^53, and is watched."""
    set_clock(module_settings)
    for number, word in enumerate(WORDS):
        add_alert(module_settings, word, opened=OPENED + timedelta(minutes=15 * (number // 2)))
    add_post(module_settings, "w0", "a flood")
    rows(module_settings, "UPDATE alert_evidence SET post_id = 7701529392496531971")
    rows(module_settings, "INSERT INTO watchlist (phrase, keyword) VALUES ('w0', 'w0')")
    insert = "INSERT INTO incidents VALUES (%s::uuid, 'w0', 'open', %s, %s, 90, 2)"
    rows(module_settings, insert, id_of("incident"), OPENED, OPENED)
    for word in WORDS[:2]:
        member = "INSERT INTO incident_members VALUES (%s::uuid, %s::uuid, 1)"
        rows(module_settings, member, id_of("incident"), id_of(word))
    rows(
        module_settings,
        "INSERT INTO daily_trends (day, kind, key, rank, posts, authors, growth_1h) "
        "SELECT '2026-01-02', 'keyword', 'w' || n, n, 10 - n, 2, 0 FROM generate_series(1, 5) AS n",
    )
    rows(module_settings, "INSERT INTO batch_days (day, trends) VALUES ('2026-01-02', 5)")
    return module_settings


@pytest.fixture(scope="module")
def client(world: Settings) -> Iterator[TestClient]:
    """A client of the API."""
    with TestClient(create_app(world), base_url="http://localhost/api/v1") as client:
        yield client


def answer(client: TestClient, path: str, expected: int = 200, /, **parameters: Any) -> Any:
    response = client.get(path, params=parameters)
    assert response.status_code == expected, response.text
    return response.json()


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_join_without_a_gap(client: TestClient, limit: int) -> None:
    found: list[dict[str, Any]] = []
    cursor = None
    while cursor is not None or not found:
        page = answer(client, "/alerts", limit=limit, **({"cursor": cursor} if cursor else {}))
        found += page["alerts"]
        cursor = page["next_cursor"]
    assert sorted(alert["keyword"] for alert in found) == WORDS
    opened = [(alert["opened_window"], alert["alert_id"]) for alert in found]
    assert opened == sorted(opened, reverse=True)


def test_a_cursor_is_of_its_list_alone(client: TestClient) -> None:
    cursor = answer(client, "/alerts", limit=1)["next_cursor"]
    assert "another filter" in answer(client, "/alerts", 422, cursor=cursor, severity="strong")["detail"]
    for wrong in ("x", "AAAA", cursor[:-3], "\u732b"):
        assert "not one of this list" in answer(client, "/alerts", 422, cursor=wrong)["detail"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"keyword": "w3"}, ["w3"]),
        ({"watched": "true"}, ["w0"]),
        ({"watched": "false", "severity": "strong"}, WORDS[1:]),
        ({"status": "resolved"}, []),
        ({"opened_from": "2026-01-02T18:45:00Z"}, WORDS[4:]),
        ({"opened_from": "2026-01-02T19:45:00+01:00", "opened_to": "2026-01-02T19:00:00Z"}, WORDS[4:6]),
        ({"updated_after": "2999-01-01T00:00:00Z"}, []),
    ],
)
def test_alerts_are_narrowed(client: TestClient, parameters: dict[str, str], words: list[str]) -> None:
    found = answer(client, "/alerts", **parameters)["alerts"]
    assert sorted(alert["keyword"] for alert in found) == words


def test_an_alert_has_its_reason_windows_posts_and_exact_ids(client: TestClient) -> None:
    alert = answer(client, f"/alerts/{id_of('w0')}")
    assert alert["reason"].startswith("83 posts by 63 people in 15 minutes; 2 were expected")
    assert [window["posts"] for window in alert["windows"]] == [83]
    assert set(alert["windows"][0]) == set(Window.model_fields)
    assert [post["post_id"] for post in alert["evidence"]] == ["7701529392496531971"]
    assert (alert["opened_window"], alert["watched"]) == ("2026-01-02T18:15:00Z", True)
    assert alert["incident_id"] == id_of("incident")


def test_incidents_have_their_alerts(client: TestClient) -> None:
    assert [found["keywords"] for found in answer(client, "/incidents")["incidents"]] == [["w0", "w1"]]
    details = answer(client, f"/incidents/{id_of('incident')}")
    assert [alert["keyword"] for alert in details["alerts"]] == ["w0", "w1"]


def test_trends_begin_at_a_rank_and_by_default_with_the_newest_day(client: TestClient) -> None:
    found = answer(client, "/trends", from_rank=3, limit=2)
    assert (found["day"], [trend["rank"] for trend in found["trends"]]) == ("2026-01-02", [3, 4])
    assert answer(client, "/trends", day="2026-01-03")["trends"] == []


def test_lists_are_csv_on_request_and_link_to_the_next_page(client: TestClient) -> None:
    response = client.get("/alerts", params={"as_csv": "true", "limit": 4})
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    first = [row["keyword"] for row in csv.DictReader(response.text.splitlines())]
    link = response.headers["link"].partition("<")[2].partition(">")[0]
    following = [row["keyword"] for row in csv.DictReader(client.get(link).text.splitlines())]
    assert sorted(first + following) == WORDS


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        (f"/alerts/{id_of('nothing')}", 404, "not-found"),
        ("/alerts/x", 422, "invalid-parameter"),
        ("/alerts?limit=0", 422, "invalid-parameter"),
        ("/alerts?opened_from=2026-01-02", 422, "invalid-parameter"),
        ("/alerts?opened_from=2026-01-02T18:15:00", 422, "invalid-parameter"),
        ("/alerts?keyword=%00", 422, "invalid-parameter"),
        ("/alerts?opened_from=0001-01-01T00:00:00%2B01:00", 422, "invalid-parameter"),
        ("/trends?day=0", 422, "invalid-parameter"),
        ("/nothing", 404, "not-found"),
    ],
)
def test_errors_are_problems(client: TestClient, path: str, status: int, slug: str) -> None:
    response = client.get(path)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert (problem["type"], problem["status"]) == (f"/problems/{slug}", status)
    assert problem["instance"] == f"/api/v1{path.partition('?')[0]}"


def test_without_postgres_it_is_a_problem_of_503(world: Settings) -> None:
    away = world.model_copy(update={"postgres_port": 1})
    with TestClient(create_app(away), base_url="http://localhost/api/v1") as client:
        problem = answer(client, "/alerts", 503)
    assert problem["type"] == "/problems/postgres-away"


def test_the_figures_of_status(client: TestClient) -> None:
    figures = answer(client, "/status")["figures"]
    assert {"status": "open", "value": 7.0} in figures["alerts"]


def test_openapi_describes_every_route_with_its_problems(client: TestClient) -> None:
    described = answer(client, "/openapi.json")["paths"]
    assert set(described) == {
        "/alerts",
        "/alerts/{alert_id}",
        "/incidents",
        "/incidents/{incident_id}",
        "/trends",
        "/status",
    }
    for path, methods in described.items():
        responses = methods["get"]["responses"]
        assert set(responses) == {"200", "503"} | ({"422"} if path != "/status" else set()) | (
            {"404"} if "{" in path else set()
        )
        assert {*responses["503"]["content"]} == {"application/problem+json"}
