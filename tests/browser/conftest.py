"""A page on real Postgres in a real browser; skipped, saying so, where there is no Chromium."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from core.settings import Settings
from web.app import create_app
from web.command import listening_socket, server_of

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium; for one module, because Playwright occupies the thread's event loop."""
    executable = next(filter(None, map(shutil.which, NAMES)), None)
    if executable is None:
        pytest.skip("no Chromium here: apt-get install --no-install-recommends chromium-headless-shell")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def served(settings: Settings, port: int = 0) -> Iterator[str]:
    """Serve the page of `settings` and yield its address."""
    listener = listening_socket("127.0.0.1", port)
    server = server_of(create_app(settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def address(module_settings: Settings) -> Iterator[str]:
    """Where the page of the module's world is served."""
    with served(module_settings) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`open_page(address, **options)` opens a page; in the end no page may have logged anything."""
    contexts = []
    logged: list[str] = []

    def open_one(address: str, **options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: logged.append(message.text))
        page.on("pageerror", lambda error: logged.append(str(error)))
        page.on("dialog", lambda dialog: logged.append(dialog.message))
        page.goto(address)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert logged == []
