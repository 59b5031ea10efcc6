"""What a user does on the page: watches it fill, opens an alert, on a phone, with the keyboard alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from core.settings import Settings
from tests.alert_rows import OPENED, add_alert, add_post, id_of, set_clock
from tests.browser.conftest import served
from tests.tables import rows

OpenPage = Callable[..., Page]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> \u202e evil " + "Donaudampfschifffahrt" * 12
PATHS = ("/", f"/alerts/{id_of('flood')}", "/words/flood", "/trends", "/suppressed", "/drops", "/pipeline")


@pytest.fixture(scope="module")
def world(module_settings: Settings) -> Settings:
    """An open alert of flood, with a hostile post."""
    set_clock(module_settings)
    add_alert(module_settings, "flood")
    add_post(module_settings, "flood", HOSTILE, author="<i>eve</i>")
    return module_settings


def test_the_list_fills_as_alerts_open_and_end(world: Settings, address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    expect(page).to_have_title("(1) Groundswell")
    add_alert(world, "river")
    expect(page.get_by_role("link", name="river")).to_be_visible()
    expect(page).to_have_title("(2) Groundswell")
    rows(
        world,
        "UPDATE anomaly_alerts SET status = 'resolved', resolved_at = %s WHERE keyword = 'river'",
        OPENED,
    )
    expect(page.locator("li.over")).to_contain_text("river")
    expect(page).to_have_title("(1) Groundswell")


def test_an_alert_opens_to_its_posts_and_their_scripts_stay_text(
    world: Settings, address: str, open_page: OpenPage
) -> None:
    page = open_page(address)
    page.get_by_role("link", name="flood").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("flood")
    expect(page.get_by_text("2 were expected for a Friday evening (UTC)")).to_be_visible()
    expect(page.locator(".posts .text")).to_contain_text("<script>alert(1)</script><img src=x")
    expect(page.locator(".mark")).to_have_text("U+202E")
    assert page.locator("main img, main script").count() == 0
    link = page.get_by_role("link", name="on TikTok")
    assert (link.get_attribute("rel"), link.get_attribute("target")) == (
        "noopener noreferrer nofollow",
        "_blank",
    )
    expect(page.get_by_role("img", name="83 posts by 63 people")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_small_phone(
    world: Settings, address: str, open_page: OpenPage, scheme: str
) -> None:
    page = open_page(address, viewport={"width": 360, "height": 700}, color_scheme=scheme)
    for path in PATHS:
        page.goto(f"{address}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, path


def test_the_keyboard_alone_leads_to_an_alert(world: Settings, address: str, open_page: OpenPage) -> None:
    page = open_page(address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "flood":
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{address}/alerts/{id_of('flood')}")


def test_seven_tabs_are_alive_and_one_that_listens_may_close(
    world: Settings, address: str, open_page: OpenPage
) -> None:
    first = open_page(address)
    tabs = [first, *(first.context.new_page() for _ in range(6))]
    for tab in tabs[1:]:
        tab.goto(address)
    add_alert(world, "storm")
    for tab in tabs:
        expect(tab.get_by_role("link", name="storm")).to_be_visible()
    first.close()
    add_alert(world, "gale")
    for tab in tabs[1:]:
        expect(tab.get_by_role("link", name="gale")).to_be_visible()


def test_it_is_complete_without_scripts(world: Settings, address: str, open_page: OpenPage) -> None:
    page = open_page(address, java_script_enabled=False)
    page.get_by_text("Show only").click()
    page.get_by_label("severity").select_option("extreme")
    page.get_by_role("button", name="Show", exact=True).last.click()
    expect(page.get_by_text("Nothing like that in the last 24 hours.")).to_be_visible()
    page.get_by_role("link", name="all", exact=True).click()
    expect(page.get_by_role("link", name="flood")).to_be_visible()


def test_a_page_goes_on_after_the_server_was_restarted(world: Settings, browser: Browser) -> None:
    # Without `open_page`: the browser itself logs that the connection was lost.
    with served(world) as address:
        page = browser.new_page()
        page.goto(address)
        expect(page.get_by_role("link", name="flood")).to_be_visible()
    add_alert(world, "hail")
    with served(world, port=int(address.rpartition(":")[2])):
        expect(page.get_by_role("link", name="hail")).to_be_visible(timeout=20_000)
    page.close()
