"""EMAIL_URL names the mail server; what it cannot mean stops the start without showing a password."""

import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from tests.server.webserver import environment

PORTS = {"smtp": 25, "smtps": 465}
OPTIONS = {"tls": ("starttls", "none")}
SHOW = (
    "from config.settings import mail as m;"
    "print(m.EMAIL_HOST, m.EMAIL_PORT, m.EMAIL_HOST_USER, m.EMAIL_HOST_PASSWORD, m.EMAIL_USE_SSL, m.EMAIL_USE_TLS,"
    " m.DEFAULT_FROM_EMAIL)"
)


def read(monkeypatch: pytest.MonkeyPatch, url: str) -> env.Server | None:
    """What a URL means."""
    monkeypatch.setenv("EMAIL_URL", url)
    return env.server("EMAIL_URL", PORTS, OPTIONS)


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "smtp://",
        "smtp://h:x",
        "smtp://h:99999",
        "smtp://h?tls=maybe",
        "smtp://h?ssl=1",
        "h:25",
        "smtp://[h",
    ],
)
def test_what_it_cannot_mean_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        read(monkeypatch, url.replace("//", "//user:hunter2@"))
    assert "EMAIL_URL" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_unset_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, "") is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("smtp://127.0.0.1:2525", "127.0.0.1 2525   False False 1688sync@"),
        ("smtp://me%40shop.example:p%2Fw@h", "h 25 me@shop.example p/w False True me@shop.example"),
        ("smtp://me:pw@h:587?tls=none", "h 587 me pw False False 1688sync@"),
        ("smtp://h?tls=starttls", "h 25   False True 1688sync@"),
        ("smtps://me:pw@h", "h 465 me pw True False 1688sync@"),
        ("", " 25   False False 1688sync@"),
    ],
)
def test_the_settings_follow_from_it(url: str, shown: str) -> None:
    command = [sys.executable, "-c", SHOW]
    found = subprocess.run(command, env=environment(0, EMAIL_URL=url), capture_output=True, text=True, check=True)
    assert found.stdout.startswith(shown)
