"""A real browser: Debian's chromium, driven by Playwright. Everything here is marked `browser`.

Where there is none it is installed by apt, as root on Debian or Ubuntu; else the tests are skipped
with the reason.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from services.engine import apt_install

HERE = Path(__file__).resolve().parent
NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def executable() -> str:
    """The path of a browser; skips where there is none and none can be installed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        apt_install({"chromium": "chromium"})
        found = shutil.which("chromium")
    assert found is not None
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser, ended at the end."""
    root = os.geteuid() == 0  # for whom the browser's sandbox does not start
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=executable(), args=["--no-sandbox"] if root else []
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched() as started:
        yield started


@pytest.fixture
def show(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a file as by a double click. At the end of the test the console must be empty, and
    nothing may have been asked for but files."""
    said: list[str] = []
    contexts = []

    def opened(path: Path, *, width: int = 1280, fragment: str = "", **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("request", lambda request: asked(request.url))
        page.goto(path.resolve().as_uri() + fragment)
        return page

    def asked(url: str) -> None:
        if not url.startswith(("file:", "data:")):
            said.append(f"asked for {url}")

    yield opened
    for context in contexts:
        context.close()
    assert said == []
