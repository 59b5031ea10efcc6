"""Laws of the page: every view answers, texts of strangers stay text, errors say what to do."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from core.settings import Settings
from tests.alert_rows import OPENED, add_alert, add_post, id_of, set_clock
from tests.tables import rows
from web.app import create_app

HOSTILE = "<script>alert(1)</script> \u202e\x07 {{ 7 * 7 }} <img src=x onerror=alert(2)>"


@pytest.fixture(scope="module")
def world(module_settings: Settings) -> Settings:
    """Open alerts of flood and river in one incident, one of <b>/?, and a suppressed window of spam."""
    settings = module_settings
    set_clock(settings)
    for keyword in ("flood", "river", "<b>/?"):
        add_alert(settings, keyword)
    add_post(settings, "flood", HOSTILE, author="<i>eve</i>", link="javascript:alert(3)")
    rows(
        settings,
        "INSERT INTO incidents (incident_id, keyword, status, opened_window, last_window, posts, members) "
        "VALUES (%s::uuid, 'flood', 'open', %s, %s, 120, 2)",
        id_of("incident"),
        OPENED,
        OPENED,
    )
    for keyword in ("flood", "river"):
        rows(
            settings,
            "INSERT INTO incident_members VALUES (%s::uuid, %s::uuid, 0.9)",
            id_of("incident"),
            id_of(keyword),
        )
    rows(
        settings,
        "INSERT INTO suppressed_windows (keyword, window_start, reason, posts, distinct_authors, expected, "
        "score, top_post_id, hourly_posts, hourly_distinct_authors) "
        "VALUES ('spam', %s, 'few authors', 50, 2, 1, 9, 7, 60, 2)",
        OPENED,
    )
    rows(
        settings,
        "INSERT INTO daily_trends (day, kind, key, rank, posts, authors, growth_1h) "
        "VALUES ('2026-01-02', 'keyword', 'flood', 1, 900, 800, 3)",
    )
    rows(settings, "INSERT INTO batch_days (day, trends) VALUES ('2026-01-02', 1)")
    return settings


@pytest.fixture(scope="module")
def client(world: Settings) -> Iterator[TestClient]:
    """A client of the page; it does not listen for events."""
    with TestClient(create_app(world), base_url="http://localhost") as client:
        yield client


def text_of(client: TestClient, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, response.text
    return str(response.text)


def test_the_first_page_has_one_row_for_words_of_one_incident(client: TestClient) -> None:
    page = text_of(client, "/")
    assert page.count('<li id="e') == 2
    assert f'href="/incidents/{id_of("incident")}"' in page
    assert "with <bdi>river</bdi>" in page
    assert (
        "<strong>83 posts</strong> by about 60 people, 2 were expected; 120 posts with any of its words"
        in page
    )
    assert "<title>(3) Groundswell</title>" in page
    assert "1 suppressed windows in 24 hours" in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("state=open", 2),
        ("state=resolved", 0),
        ("severity=strong", 2),
        ("severity=extreme", 0),
        ("origin=organic", 2),
        ("origin=one+text", 0),
        ("watched=true", 0),
        ("state=&severity=&origin=", 2),
    ],
)
def test_the_list_is_narrowed_by_its_address(client: TestClient, query: str, count: int) -> None:
    assert text_of(client, f"/?{query}").count('<li id="e') == count


def test_an_alert_says_why_and_shows_its_chart(client: TestClient) -> None:
    page = text_of(client, f"/alerts/{id_of('river')}")
    assert "83 posts by 63 people in 15 minutes; 2 were expected for a Friday evening (UTC)" in page
    assert "at least 21 would have been unusual" in page
    assert "<title>18:15: 83 posts, 2.2 expected, 21 would have been unusual</title>" in page
    assert f'href="/alerts/{id_of("flood")}"' in page


@pytest.mark.parametrize("path", [f"/alerts/{id_of('flood')}", f"/incidents/{id_of('incident')}"])
def test_what_strangers_write_stays_text(client: TestClient, path: str) -> None:
    page = text_of(client, path)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;img src=x" in page
    assert "{{ 7 * 7 }}" in page
    assert "&lt;i&gt;eve&lt;/i&gt;" in page
    assert '<span class="mark">U+202E</span><span class="mark">U+0007</span>' in page
    for hostile in ("<script>alert", "<img", "javascript:", "\u202e", "<i>eve"):
        assert hostile not in page


@pytest.mark.parametrize(
    "word", ["<script>", "a/b?c#d", "\u202e", "%00", "q" * 500, "' OR 1=1 --", "..%2f..%2fetc", "猫"]
)
def test_any_word_has_a_page(client: TestClient, word: str) -> None:
    response = client.get("/words", params={"q": word})
    assert response.status_code == 200
    assert "<script>" not in response.text.partition("<main")[2]


def test_a_word_has_its_alerts_windows_and_days(client: TestClient) -> None:
    assert f'href="/alerts/{id_of("flood")}"' in text_of(client, "/words/Flood")
    assert "800" in text_of(client, "/words/flood")
    assert "so few people would not be unusual" in text_of(client, "/words/spam")
    assert "is not counted: " in text_of(client, "/words/the")


def test_lists_and_pipeline_answer(client: TestClient) -> None:
    assert "<bdi>spam</bdi>" in text_of(client, "/suppressed")
    assert "No watched word dropped" in text_of(client, "/drops")
    assert 'href="/words/flood"' in text_of(client, "/trends?day=2026-01-02&kind=keyword")
    assert "There are no trends of 2026-01-03" in text_of(client, "/trends?day=2026-01-03")
    assert "detection is at" in text_of(client, "/pipeline")


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/alerts/00000000-0000-0000-0000-000000000009", 404, "There is no alert 0000"),
        ("/incidents/00000000-0000-0000-0000-000000000009", 404, "There is no incident 0000"),
        ("/alerts/x", 422, "alert_id: "),
        ("/?severity=huge", 422, "severity: "),
        ("/trends?day=yesterday", 422, "day: "),
        ("/suppressed?skip=-1", 422, "skip: "),
        ("/nothing", 404, "There is no such page."),
    ],
)
def test_a_wrong_address_is_answered_by_a_page(
    client: TestClient, path: str, status: int, sentence: str
) -> None:
    assert sentence in text_of(client, path, status)


def test_nothing_is_loaded_from_elsewhere_and_other_hosts_are_turned_away(client: TestClient) -> None:
    response = client.get("/")
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "http" not in response.text.replace("https://www.tiktok.com/", "").partition("<main")[0]
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400
    path = response.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert "immutable" in client.get(path).headers["cache-control"]


def test_without_postgres_a_page_says_what_to_do(world: Settings) -> None:
    away = world.model_copy(update={"postgres_port": 1})
    with TestClient(create_app(away), base_url="http://localhost") as client:
        response = client.get("/")
    assert response.status_code == 503
    assert "The database does not answer" in response.text
