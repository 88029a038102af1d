"""What one request costs the web process: CPU time a request, and where it goes.

    python -m benchmarks.request_cost --requests 300 --rounds 10 --layers

Starts a PostgreSQL and a Redis of its own, makes a small catalogue and calls the application the way a server does: by
WSGI, with a token, with logs, limits and metrics as they ship. Prints for each kind of request the CPU time of this
process (the median and the best of the rounds, which take turns), the median ratio to a request that the framework
answers without middleware and view, the time spent on database statements, and the number of function calls, which is
the same on busy machines; with `--layers` the share of each layer by profile. Times of other processes, PostgreSQL's
among them, are not in it.
"""

import argparse
import cProfile
import os
import pstats
import secrets
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import django
from django.db import connections

from devstack.postgres import THROWAWAY_SETTINGS
from devstack.throwaway import start_servers

PRODUCTS = 400
MICRO = 1_000_000
BARE = "the framework alone"
Ask = Callable[[], tuple[int, dict[str, str], bytes]]

# Whose code a profiled function is, by the first part of its path that fits.
LAYERS = (
    ("psycopg", "database driver"),
    ("django/db", "database, Django's part"),
    ("redis", "Redis client"),
    ("rest_framework", "REST framework"),
    ("django/core/handlers", "Django: handlers and middleware"),
    ("django/middleware", "Django: handlers and middleware"),
    ("django/urls", "Django: addresses"),
    ("django/utils/translation", "Django: languages"),
    ("django/conf/locale", "Django: languages"),
    ("django/", "Django: rest"),
    ("logging", "logs"),
    ("pythonjsonlogger", "logs"),
    ("system/logs", "logs"),
    ("system/redaction", "logs"),
    ("system/metrics", "metrics and usage"),
    ("system/usage", "metrics and usage"),
    ("system/middleware", "our middleware"),
    ("system/api/throttling", "limits"),
    ("accounts/", "authentication"),
    ("system/api", "API kit"),
    ("system/", "kernel, rest"),
    ("products/", "products"),
    ("corsheaders", "other middleware"),
    ("whitenoise", "other middleware"),
)


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.request_cost")
    parser.add_argument("--requests", type=int, default=300, help="of each kind a round")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--tier", default="premium", help="of the caller: enterprise has a limit, premium has none")
    parser.add_argument("--layers", action="store_true", help="also show where the time goes")
    parser.add_argument("--functions", type=int, default=0, help="also show so many functions, by their own time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _servers(Path(folder)) as log:
        kinds = {BARE: _caller(_bare_application(), "/", "", {})} | _kinds(options.tier)
        _measure(kinds, options)
        for name, ask in kinds.items() if options.layers or options.functions else ():
            _show_profile(name, ask, options)
        print(f"\n{sum(1 for _ in log.open())} log lines written")


@contextmanager
def _servers(folder: Path) -> Iterator[Path]:
    """Servers and settings; what the process logs goes to a file that is given back."""
    os.environ |= {
        **start_servers("s1688-bench-", THROWAWAY_SETTINGS),
        "IGNORE_ENV_FILES": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ALLOWED_HOSTS": "127.0.0.1",
        "RATE_ENTERPRISE": "1000000/hour",
    }
    log, terminal = folder / "log", os.dup(sys.stderr.fileno())
    os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND), sys.stderr.fileno())
    try:
        django.setup()
        yield log
    finally:
        os.dup2(terminal, sys.stderr.fileno())
        connections.close_all()


def _kinds(tier: str) -> dict[str, Ask]:
    """The requests, by name."""
    token, category, product = _catalogue(tier)
    listed = f"/api/v1/products?category_id={category}&page_size=20"
    detail = f"/api/v1/products/{product}"
    tag, detail_tag = (_asker(path, token)()[1]["ETag"] for path in (listed, detail))
    return {
        "list": _asker(listed, token),
        "list, 304": _asker(listed, token, HTTP_IF_NONE_MATCH=tag),
        "detail": _asker(detail, token),
        "detail, 304": _asker(detail, token, HTTP_IF_NONE_MATCH=detail_tag),
        "not found": _asker("/api/v1/products/999999999", token),
        "bad token": _asker(listed, "no.such.token"),
    }


def _catalogue(tier: str) -> tuple[str, int, int]:
    """An empty database filled; the caller's token, a category and a product."""
    from django.core.management import call_command

    from accounts.models import User
    from accounts.services import create_user, open_session
    from products.models import Category, Product

    call_command("migrate", verbosity=0)
    user = create_user("reader", "reader@example.com", secrets.token_urlsafe(), role="viewer")
    User.objects.filter(pk=user.pk).update(tier=tier)
    category = Category.objects.create(id=1, name="杯子", path="杯子", ancestors=[1], level=1)
    products = Product.objects.bulk_create(
        Product(sku=f"1688-{number}", title=f"保温杯 {number} 不锈钢", category=category, price=number, stock=number)
        for number in range(1, PRODUCTS + 1)
    )
    user.refresh_from_db()
    return open_session(user)["token"], category.pk, products[0].pk


def _asker(address: str, token: str, **headers: str) -> Ask:
    """A function that sends one request to our application."""
    from config.wsgi import application

    path, _, query = address.partition("?")
    return _caller(application, path, query, headers | {"HTTP_AUTHORIZATION": f"Bearer {token}"})


def _bare_application() -> Any:
    """The framework with nothing in it: what a request costs at least."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse

    class Bare(WSGIHandler):
        def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002 (the framework's signature)
            self._middleware_chain = lambda _request: HttpResponse(b"{}", "application/json")

    return Bare()


def _caller(application: Any, path: str, query: str, headers: dict[str, str]) -> Ask:
    """A function that calls an application as a WSGI server would."""

    def ask() -> tuple[int, dict[str, str], bytes]:
        environ = _environ(path, query) | headers
        head: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _exception: Any = None) -> None:
            head.update(status=int(status[:3]), headers=dict(headers))

        answer: Any = application(environ, start_response)
        body = b"".join(answer)
        answer.close()
        return head["status"], head["headers"], body

    return ask


def _environ(path: str, query: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_ACCEPT": "*/*",
        "HTTP_USER_AGENT": "benchmark",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def _measure(kinds: dict[str, Ask], options: argparse.Namespace) -> None:
    whole, database = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    for name, ask in kinds.items():
        status, _headers, body = ask()
        print(f"{name}: {status}, {len(body)} bytes")
        _seconds(ask, options.requests)
    for _round in range(options.rounds):
        for name, ask in kinds.items():
            whole[name].append(_seconds(ask, options.requests) * MICRO)
    with _statements_timed() as spent:
        for _round in range(options.rounds):
            for name, ask in kinds.items():
                spent.clear()
                _seconds(ask, options.requests)
                database[name].append(sum(spent) / options.requests * MICRO)
    print(f"\n{'µs of CPU a request':<20}{'median':>8}{'best':>8}{'ratio':>8}{'statements':>12}{'calls':>8}")
    for name, seconds in whole.items():
        ratio = statistics.median(each / bare for each, bare in zip(seconds, whole[BARE], strict=True))
        median, best, statements = statistics.median(seconds), min(seconds), min(database[name])
        print(f"{name:<20}{median:8.0f}{best:8.0f}{ratio:8.1f}{statements:12.0f}{_calls(kinds[name]):8.0f}")


def _seconds(ask: Ask, requests: int) -> float:
    begin = time.process_time()
    for _ in range(requests):
        ask()
    return (time.process_time() - begin) / requests


def _calls(ask: Ask) -> float:
    """Function calls a request: the median of ten tens."""
    return statistics.median(float(_profiled(ask, 10).total_calls) / 10 for _ in range(10))


def _profiled(ask: Ask, requests: int) -> Any:
    profile = cProfile.Profile(time.process_time)
    profile.enable()
    for _ in range(requests):
        ask()
    profile.disable()
    return pstats.Stats(profile)


@contextmanager
def _statements_timed() -> Iterator[list[float]]:
    """Collects the CPU time of this thread in each database statement."""
    from django.db import connection

    spent: list[float] = []

    def timed(execute: Any, *arguments: Any) -> Any:
        begin = time.thread_time()
        try:
            return execute(*arguments)
        finally:
            spent.append(time.thread_time() - begin)

    with connection.execute_wrapper(timed):
        yield spent


def _show_profile(name: str, ask: Ask, options: argparse.Namespace) -> None:
    found: Any = _profiled(ask, options.requests).stats
    total = sum(own for _calls, _all, own, _with, _callers in found.values())
    if options.layers:
        print(f"\n{name}, by layer")
        for layer, own in sorted(_by_layer(found).items(), key=lambda item: -item[1]):
            print(f"{own / total:7.1%}  {layer}")
    rows = sorted(found.items(), key=lambda item: -item[1][2])[: options.functions]
    for (file, line, function), (_calls, calls, own, cumulative, _callers) in rows:
        place = f"{'/'.join(Path(file).parts[-2:])}:{line} {function}"
        print(f"{own / total:7.1%}{cumulative / total:8.1%}{calls / options.requests:7.1f}x  {place}")


def _by_layer(found: Any) -> dict[str, float]:
    """The own time of every function, added up; a built-in one counts for who called it."""
    layers = defaultdict[str, float](float)
    for (file, _line, _name), (_calls, _all, own, _with, callers) in found.items():
        if file != "~" or not callers:
            layers[_layer(file)] += own
            continue
        for (caller, _at, _of), (_count, _total, share, _cumulative) in callers.items():
            layers[_layer(caller)] += share
    return layers


def _layer(file: str) -> str:
    return next((name for part, name in LAYERS if part in file), "rest")


if __name__ == "__main__":
    main()
