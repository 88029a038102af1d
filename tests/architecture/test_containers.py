"""compose.yaml and Dockerfile, as far as they can be judged without a container engine."""

import re
from typing import Any

import pytest
import yaml
from django.test import Client
from pytest_django import Settings

from devstack.postgres import TUNED_SETTINGS
from tests.architecture.source import PROJECT

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
# Settings that depend on the machine.
SIZED = ("shared_buffers", "effective_cache_size")
OURS = ("migrate", "web", "worker", "beat", "listen")
LONG_RUNNING = ("web", "worker", "beat", "listen")


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_service_starts_when_what_it_needs_is_ready(name: str) -> None:
    conditions = {service: needed["condition"] for service, needed in SERVICES[name]["depends_on"].items()}
    assert conditions == {
        "postgres": "service_healthy",
        "redis": "service_healthy",
        "migrate": "service_completed_successfully",
    }


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_server_says_when_it_is_ready(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_do_little(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"], service["init"]) == (True, ["ALL"], True)
    assert service["stop_grace_period"] == "30s"


def test_every_database_has_the_settings_that_are_recommended() -> None:
    command = SERVICES["postgres"]["command"][1:]
    composed = dict(option.removeprefix("-c").split("=") for option in command)
    assert {name: composed[name] for name in composed if name not in SIZED} == TUNED_SETTINGS
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| .+ \|$", _chapter("PostgreSQL"), re.MULTILINE)
    assert {name: value for name, value in rows if name not in SIZED} == TUNED_SETTINGS


def _chapter(title: str) -> str:
    operations = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    return operations.split(f"## {title}\n")[1].split("\n## ")[0]


def test_only_the_web_port_is_published_and_only_on_this_machine() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published == ["127.0.0.1:${PORT:-8000}:8000"]


def test_no_password_is_written_down() -> None:
    text = (PROJECT / "compose.yaml").read_text(encoding="utf-8")
    needed = set(re.findall(r"\$\{(\w*PASSWORD):\?", text))
    assert needed == {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
    assert re.findall(r"(?i)passw(?:or)?d\s*[:=]\s*['\"]?[a-z0-9]", text) == []


def test_every_folder_of_the_product_goes_into_the_image() -> None:
    ignored = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    folders = {path.parent.name for path in PROJECT.glob("*/__init__.py")} | {"locale", "templates"}
    assert folders - {"devstack", "tests", "benchmarks"} <= kept


@pytest.mark.parametrize("path", ["/health/live", "/health"])
def test_behind_a_tls_proxy_the_health_check_is_not_redirected(path: str, settings: Settings, db: None) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(path).status_code == 200
    assert Client().get("/api/v1/products").status_code == 301


def test_the_image_runs_as_nobody_special_from_hashed_packages() -> None:
    assert re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE) == ["app"]
    assert "--require-hashes -r /tmp/requirements.lock" in DOCKERFILE
    assert "\nHEALTHCHECK " in DOCKERFILE
