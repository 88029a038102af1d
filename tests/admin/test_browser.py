"""The back office in a real browser: no console errors, pages that react, live progress."""

import base64
import json
import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from playwright.sync_api import Page, WebSocketRoute, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from syncjobs import selectors
from syncjobs.models import Source, SyncJob
from tests.admin.conftest import list_of, make_job, make_product, page_of
from tests.conftest import PASSWORD

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAP+AAAAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==")
# Give a folder to keep pictures of the pages.
PICTURES = os.environ.get("BROWSER_PICTURES", "")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium here"),
    pytest.mark.django_db(transaction=True),
]


class Window:
    """A browser window that remembers everything that went wrong in it."""

    def __init__(self, page: Page, server: str) -> None:
        self.page, self.server = page, server
        self.troubles: list[str] = []
        page.on("console", lambda message: self._note(message.type == "error", message.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.route(
            lambda url: not url.startswith(server), lambda route: route.fulfill(body=PIXEL, content_type="image/gif")
        )

    def _note(self, is_trouble: bool, text: str) -> None:
        if is_trouble:
            self.troubles.append(text)

    def show(self, address: str, picture: str) -> None:
        """Open a page and wait until it is quiet."""
        self.page.goto(self.server + address)
        self.page.wait_for_load_state("networkidle")
        if PICTURES:
            self.page.screenshot(path=f"{PICTURES}/{picture}.png", full_page=True)

    def log_in(self, user: User) -> None:
        """Through the form, as people do."""
        self.show("/admin/", "login")
        self.page.fill("input[name=username]", user.username)
        self.page.fill("input[name=password]", PASSWORD)
        self.page.click("button[type=submit]")
        self.page.wait_for_url(f"{self.server}/admin/")


@pytest.fixture
def window(live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Generator[Window]:
    """An empty window of a Chinese browser."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
        try:
            yield Window(context.new_page(), live_server.url)
        finally:
            # Beside Playwright's event loop Django opened a second connection; it would outlive the database.
            connections.close_all()
            browser.close()


def test_an_operator_works_without_a_console_error(window: Window, operator: User, source: Source) -> None:
    product = make_product(1)
    for number in range(2, 12):
        make_product(number, stock=0 if number % 3 == 0 else number)
    failed = {"code": "quota_exhausted", "message": "day limit reached"}
    job, held = make_job(source, 1), make_job(source, 2, state=SyncJob.State.HELD, processed=40, error=failed)
    window.log_in(operator)
    for address, picture in (
        ("/admin/", "dashboard"),
        (list_of(type(product)), "products"),
        (page_of(product), "product"),
        (list_of(SyncJob), "jobs"),
        (page_of(job), "job"),
        (page_of(held), "job-held"),
        ("/admin/syncjobs/syncjob/add/", "start"),
        (list_of(Source), "sources"),
        (page_of(source), "source"),
        ("/admin/syncjobs/rejectedrecord/", "rejects"),
        ("/admin/syncjobs/synclog/", "logs"),
    ):
        window.show(address, picture)
    assert window.troubles == []


def test_the_buttons_of_the_theme_work_under_our_policy(window: Window, operator: User, source: Source) -> None:
    make_product(1)
    window.log_in(operator)
    window.show("/admin/products/product/", "products")
    window.page.get_by_text("filter_list").click()
    window.page.locator("input[name=category]").fill("类目1")
    window.page.locator("input[name=category]").press("Enter")
    window.page.wait_for_url("**category=*")
    assert window.page.get_by_text("夏季连衣裙 1").is_visible()
    assert window.troubles == []


def test_a_running_job_moves_without_a_reload(window: Window, viewer: User, source: Source) -> None:
    job = make_job(source, 1, state=SyncJob.State.RUNNING, processed=10, finished_at=None)
    window.log_in(viewer)
    sockets: list[WebSocketRoute] = []
    window.page.route_web_socket(f"**/ws/v1/sync/{job.task_id}", lambda socket: sockets.append(socket))
    window.show(page_of(job), "job-running")
    window.page.wait_for_function("document.querySelector('[data-live=percent]').textContent === '10%'")

    def send(kind: str, data: Any) -> None:
        sockets[0].send(json.dumps({"type": kind, "seq": 1, "data": data}, default=str))

    job.processed, job.updated = 55, 7
    send("progress", selectors.job_view(job))
    window.page.wait_for_function("document.querySelector('[data-live=bar]').value === 55")
    assert window.page.text_content("[data-live=updated]") == "7"
    send("log", {"level": "warning", "message": "<b>same</b>", "created_at": "2025-01-31T00:00:00Z"})
    assert window.page.locator("[data-live-log] li").first.text_content() is not None
    window.page.wait_for_function("document.querySelector('[data-live-log] span').textContent === '<b>same</b>'")
    job.state = SyncJob.State.PARTIAL
    send("finished", selectors.job_view(job))
    window.page.wait_for_function("document.querySelector('[data-live=status]').textContent === '部分成功'")
    assert window.troubles == []
