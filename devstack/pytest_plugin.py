"""Gives a test run its servers: one PostgreSQL and one Redis a run, handed to every xdist worker by URL."""

import gc
import os
import shutil
from collections.abc import Generator

import pytest

from devstack.postgres import THROWAWAY_SETTINGS
from devstack.throwaway import start_servers

# Each xdist worker has its own Redis databases: broker, cache, live status, one spare.
REDIS_DATABASES_PER_WORKER = 4
# Tests call much and fast; those of the rate limits set their own.
LIMITED = ("FREE", "BASIC", "ENTERPRISE", "ANONYMOUS", "LOGIN", "LOGIN_NAME", "SYNC_START", "EXPORT", "BATCH")
NO_LIMITS = {f"RATE_{name}": "1000000/second" for name in LIMITED}
# A server gives up quickly what would hold up many; on a machine that is busy with tests slow is not broken.
PATIENCE = {
    "DATABASE_LOCK_TIMEOUT_MS": "120000",
    "DATABASE_STATEMENT_TIMEOUT_MS": "300000",
    "REDIS_LIMITS_TIMEOUT_MS": "30000",
}


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, None, None]:
    """Before Django reads its settings: start the servers, or take our part of those that run."""
    gc.disable()
    os.environ["IGNORE_ENV_FILES"] = "1"
    # A thread of its own would write past the transactions that tests are rolled back in.
    os.environ["API_USAGE_SECONDS"] = "0"
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        _take_redis_databases(int(worker.removeprefix("gw")) + 1)
    else:
        _start_servers()
    yield


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests to who asks for them with `-m soak`."""
    if "soak" not in config.option.markexpr:
        long = [item for item in items if item.get_closest_marker("soak")]
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: nobody need look for garbage in it again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test of the pages needs a browser: a failure where changes are judged, skipped where people try things out."""
    if item.get_closest_marker("browser") and not shutil.which("chromium"):
        require("Chromium is not installed: apt-get install chromium")


def require(missing: str) -> None:
    """Fail the running test under CI, skip it elsewhere; `missing` says what to do."""
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)


def _start_servers() -> None:
    # Not in a hook of pytest that ends them: a run that fails before its hooks run must leave nothing behind either.
    os.environ |= {
        **start_servers("s1688-test-", THROWAWAY_SETTINGS),
        "OUTBOUND_ALLOWED_HOSTS": "127.0.0.1",
        "FEED_FOLDERS": "/",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
        **NO_LIMITS,
        **PATIENCE,
        "SYSTEM_LOG": "false",
    }


def _take_redis_databases(worker: int) -> None:
    server = os.environ["REDIS_URL"].rpartition("/")[0]
    os.environ["REDIS_URL"] = f"{server}/{worker * REDIS_DATABASES_PER_WORKER}"
