"""A server for the tests of a worker that change nothing about it."""

from collections.abc import Iterator

import pytest

from tests.server.webserver import WebServer, web_server


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[WebServer]:
    """A running web server; it gives a request's head and body two seconds."""
    with web_server(WEB_HEAD_SECONDS="2", WEB_BODY_SECONDS="2") as running:
        yield running
