"""System checks: each mistake is named, with a way out."""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

LOCAL_CACHE = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOCAL_LAYER = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
GOOD_KEY = "kP3vXw9LmQ2rT7yB5nD8sF1gH4jK6zC0"


def ours(messages: Iterable[CheckMessage]) -> set[str]:
    return {str(message.id) for message in messages if str(message.id).startswith("system.")}


def test_the_settings_of_the_tests_pass() -> None:
    assert ours(run_checks()) == set()


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("SECRET_KEY", "short", "system.E001"),
        ("SECRET_KEY", "x" * 64, "system.E001"),
        ("SIMPLE_JWT", {"SIGNING_KEY": "short"}, "system.E002"),
        ("INSTALLED_APPS", ["system"], "system.E004"),
        ("CREDENTIALS_KEYS", [""], "system.E005"),
        ("CREDENTIALS_KEYS", ["not a key"], "system.E005"),
        ("CHANNEL_LAYERS", LOCAL_LAYER, "system.E006"),
        ("CACHES", LOCAL_CACHE, "system.E007"),
    ],
)
def test_a_mistake_is_found(settings: Settings, name: str, value: Any, found: str) -> None:
    setattr(settings, name, value)
    from system import checks

    every = [checks.check_secrets, checks.check_blacklist, checks.check_credentials_keys, checks.check_cache]
    messages = [message for check in [*every, checks.check_channel_layer] for message in check()]
    assert [message.id for message in messages] == [found]
    assert all(message.hint for message in messages)


def test_one_key_for_two_purposes_is_found(settings: Settings) -> None:
    settings.SECRET_KEY = GOOD_KEY
    settings.SIMPLE_JWT = {**settings.SIMPLE_JWT, "SIGNING_KEY": GOOD_KEY}
    assert ours(run_checks()) == {"system.E003"}


def test_weak_keys_are_for_debugging_only(settings: Settings) -> None:
    settings.DEBUG = True
    settings.SECRET_KEY = "short"
    assert ours(run_checks()) == set()


def test_open_hosts_are_found_before_deployment(settings: Settings) -> None:
    settings.ALLOWED_HOSTS, settings.HTTPS_ONLY = ["*"], False
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)
    assert ours(run_checks(include_deployment_checks=True)) == {"system.W001", "system.W002"}
    settings.HTTPS_ONLY, settings.OUTBOUND_ALLOWED_HOSTS = True, ()
    assert ours(run_checks()) == {"system.W003"}
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)
    assert ours(run_checks(include_deployment_checks=True)) == set()
