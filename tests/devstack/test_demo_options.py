"""What the environment may say to `make demo`."""

from pathlib import Path

import pytest

from devstack.demo import keys
from devstack.demo.options import PRODUCTION_GATEWAY, Complaint, read_options

APP = {"APP_KEY": "1", "APP_SECRET": "s", "ACCESS_TOKEN": "t"}


def test_an_empty_environment_brings_its_own_servers() -> None:
    options = read_options({})
    assert (options.base_url, options.oneshot) == ("http://127.0.0.1:8000", False)
    assert (options.database_url, options.redis_url, options.gateway) == (None, None, None)


def test_servers_are_replaced_one_by_one() -> None:
    options = read_options({"DATABASE_URL": "postgresql://h/d", "PORT": "8010", "ONESHOT": "1"})
    assert (options.database_url, options.redis_url, options.port, options.oneshot) == (
        "postgresql://h/d",
        None,
        8010,
        True,
    )


def test_a_real_app_key_goes_to_the_real_gateway() -> None:
    gateway = read_options(APP).gateway
    assert gateway is not None
    assert (gateway.url, gateway.app_key, gateway.refresh_token) == (PRODUCTION_GATEWAY, "1", "")


def test_a_gateway_of_ones_own_is_used() -> None:
    gateway = read_options({**APP, "GATEWAY_URL": "http://127.0.0.1:9", "REFRESH_TOKEN": "r"}).gateway
    assert gateway is not None
    assert (gateway.url, gateway.refresh_token) == ("http://127.0.0.1:9", "r")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PORT": "http"}, "PORT must be a number"),
        ({"PORT": "65536"}, "PORT must be a number"),
        ({"GATEWAY_URL": "http://127.0.0.1:9"}, "APP_KEY and APP_SECRET and ACCESS_TOKEN"),
        ({"APP_KEY": "1", "ACCESS_TOKEN": "t"}, "needs APP_SECRET"),
    ],
)
def test_nonsense_is_a_sentence(environment: dict[str, str], words: str) -> None:
    with pytest.raises(Complaint, match=words):
        read_options(environment)


def test_keys_stay_the_same_from_run_to_run(tmp_path: Path) -> None:
    first = keys.load(tmp_path / "secrets", {})
    assert keys.load(tmp_path / "secrets", {}) == first
    assert set(first[1]) == {"admin", "operator", "viewer"}


def test_keys_in_the_environment_win_and_are_not_kept(tmp_path: Path) -> None:
    assert keys.load(tmp_path / "secrets", {"SECRET_KEY": "mine"})[0]["SECRET_KEY"] == "mine"
    assert "mine" not in (tmp_path / "secrets").read_text()


def test_only_the_owner_can_read_the_keys(tmp_path: Path) -> None:
    keys.load(tmp_path / "secrets", {})
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o600
