"""The servers that are measured: ours and those others would write. To add one, add it to `VARIANTS`."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from benchmarks.peers import gin

# What every ratio of reads is a ratio to.
BASE = "fastapi-sqlalchemy"


@dataclass(frozen=True)
class Variant:
    """A server that answers our paths with our payload.

    Attributes:
        name: its key in results; `label`: its name in tables; `about`: one sentence for the document.
        command: the command line for a port and a number of processes.
        environment: what it needs besides the project's own environment.
        tier: whose token is sent with the requests.
        missing: why it cannot run here, None when it can.
        ours: whether it has what only we have: ETags, cursors, `/health`.
        quick: takes part in short runs.
    """

    name: str
    label: str
    about: str
    command: Callable[[int, int], list[str]]
    environment: Mapping[str, str] = field(default_factory=dict)
    tier: str = "premium"
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
            name="drf",
            label="Django REST framework",
            about="ModelViewSet, simplejwt, UserRateThrottle, Django's own ASGI handler under uvicorn: a project as it "
            "begins.",
            command=_uvicorn("benchmarks.peers.drf.asgi:application"),
            environment={"DJANGO_SETTINGS_MODULE": "benchmarks.peers.drf.settings"},
        ),
    )
}
