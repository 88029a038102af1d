"""Every app uses the same words for its files, so that who knows one app knows where to look in all of them."""

import pytest

from tests.architecture.source import APPS, PROJECT

WORDS = {"admin", "api", "apps", "management", "migrations", "models", "selectors", "services", "tasks"}
API_WORDS = {"filters", "queries", "schema", "serializers", "views"}
# What only some apps have, because only these are about it. `system` is the kernel, its words are its own.
OWN_WORDS: dict[str, set[str]] = {
    "accounts": {"authentication", "keys", "roles", "tokens"},
    "products": {"catalog", "dashboard", "ingest", "records", "search"},
    "syncjobs": {
        "connectors",
        "consumers",
        "dashboard",
        "engine",
        "hub",
        "knobs",
        "live",
        "log_texts",
        "snapshots",
        "ws_auth",
        "ws_inbound",
    },
}


def modules(folder: str) -> set[str]:
    """Names of the modules and packages in a folder."""
    found = [path for path in (PROJECT / folder).iterdir() if not path.name.startswith("_")]
    return {path.stem for path in found if path.suffix == ".py" or (path / "__init__.py").exists()}


@pytest.mark.parametrize("app", sorted(OWN_WORDS))
def test_an_app_names_its_files_like_every_other(app: str) -> None:
    assert modules(app) - WORDS - OWN_WORDS[app] == set()


@pytest.mark.parametrize("app", sorted(OWN_WORDS))
def test_an_api_folder_names_its_files_like_every_other(app: str) -> None:
    assert modules(f"{app}/api") - API_WORDS == set()


@pytest.mark.parametrize("app", APPS)
def test_an_app_has_no_catch_all(app: str) -> None:
    assert modules(app) & {"common", "helpers", "misc", "util", "utils"} == set()
