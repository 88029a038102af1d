"""The servers that are measured: ours and those others would write. To add one, add it to `VARIANTS`."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from benchmarks.peers import directus, gin
from benchmarks.peers.directus import wording

# What every ratio of reads is a ratio to.
BASE = "fastapi-sqlalchemy"


def _data(_path: str, body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(body)["data"]
    return found


@dataclass(frozen=True)
class Variant:
    """A server that answers our paths with our payload, or in words of its own that are put into ours.

    Attributes:
        name: its key in results; `label`: its name in tables; `about`: one sentence for the document.
        command: the command line for a port and a number of processes.
        environment: what it needs besides the project's own environment; `settings` gives more, for a port and all
            that is set already, and `prepare` is called with it before the first start.
        tier: whose token is sent with the requests, unless it has a `token` of its own.
        path: one of our paths as it has it; `data`: what its answer to our path carries, as our answer would.
        missing: why it cannot run here, None when it can.
        ours: whether it has what only we have: ETags, cursors, `/health`.
        quick: takes part in short runs.
    """

    name: str
    label: str
    about: str
    command: Callable[[int, int], list[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: Callable[[int, Mapping[str, str]], Mapping[str, str]] = lambda _port, _given: {}
    prepare: Callable[[Mapping[str, str]], None] = lambda _settings: None
    tier: str = "premium"
    token: str = ""
    path: Callable[[str], str] = lambda path: path
    data: Callable[[str, bytes], dict[str, Any]] = _data
    missing: Callable[[], str | None] = lambda: None
    ours: bool = False
    quick: bool = True


def _our_server(port: int, processes: int) -> list[str]:
    """As the demo and compose start it."""
    return [sys.executable, "-m", "config.serve", "--port", str(port), "--processes", str(processes)]


def _uvicorn(application: str) -> Callable[[int, int], list[str]]:
    def command(port: int, processes: int) -> list[str]:
        options = ["--port", str(port), "--workers", str(processes), "--no-access-log", "--log-level", "warning"]
        return [sys.executable, "-m", "uvicorn", application, *options]

    return command


VARIANTS: dict[str, Variant] = {
    variant.name: variant
    for variant in (
        Variant(
            name="ours",
            label="1688sync",
            about="`python -m config.serve`; JWT, request id, access log; a user without a limit (premium).",
            command=_our_server,
            ours=True,
        ),
        Variant(
            name="ours-limited",
            label="1688sync, limited user",
            about="The same for a user whose every request is counted against a limit (enterprise).",
            command=_our_server,
            tier="enterprise",
            ours=True,
            quick=False,
        ),
        Variant(
            name=BASE,
            label="FastAPI + SQLAlchemy",
            about="SQLAlchemy 2 async on asyncpg, pydantic models, `count(*)` and OFFSET, JWT checked without a query; "
            "no limits, no log.",
            command=_uvicorn("benchmarks.peers.fastapi_sqlalchemy.app:app"),
        ),
        Variant(
            name="fastapi-asyncpg",
            label="FastAPI + asyncpg",
            about="Hand-written SQL on asyncpg and orjson, no models: as fast as FastAPI gets; no limits, no log.",
            command=_uvicorn("benchmarks.peers.fastapi_asyncpg:app"),
        ),
        Variant(
            name="gin",
            label="Gin + pgx",
            about="Go: Gin, pgx and its pool, structs, `count(*)` and OFFSET, JWT checked without a query; no limits.",
            command=gin.command,
            missing=gin.missing,
            quick=False,
        ),
        Variant(
            name="directus",
            label="Directus",
            about="Directus 11 on the same tables, with relations to categories, shops and SKUs; an administrator's "
            "static token, `meta=filter_count`; no limits, no log.",
            command=directus.command,
            settings=directus.environment,
            prepare=directus.prepare,
            token=directus.TOKEN,
            path=wording.path,
            data=wording.data,
            missing=directus.missing,
            quick=False,
        ),
        Variant(
            name="drf",
            label="Django REST framework",
            about="ModelViewSet, simplejwt, UserRateThrottle, Django's own ASGI handler under uvicorn: a project as it "
            "begins.",
            command=_uvicorn("benchmarks.peers.drf.asgi:application"),
            environment={"DJANGO_SETTINGS_MODULE": "benchmarks.peers.drf.settings"},
        ),
    )
}
