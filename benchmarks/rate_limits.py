"""What a rate limit adds to a request: the same request with and without one, in turns, in one process.

    python -m benchmarks.rate_limits --requests 4000

Starts a Redis of its own and needs no database: the view answers a constant through the whole middleware. Prints the
medians, their difference and their ratio, for one bucket (a user) and for three (a sign-in).
"""

import argparse
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

from devstack.redis import EmbeddedRedis

WARM_UP = 200
KINDS = {"no limit": (), "one bucket": ("user",), "three buckets": ("user", "login", "login_name")}


def setting_up(redis_url: str) -> None:
    """Settings without a database, and nothing in the log."""
    os.environ |= {
        "IGNORE_ENV_FILES": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(48),
        "CREDENTIALS_KEYS": "A" * 43 + "=",
        "ALLOWED_HOSTS": "testserver",
        "LOG_LEVEL": "ERROR",
    }
    django.setup()


def asker() -> Callable[[tuple[str, ...]], float]:
    """A function that sends one request which is taken from these buckets, and returns its seconds."""
    from django.http import HttpRequest
    from django.test import RequestFactory
    from rest_framework.request import Request
    from rest_framework.response import Response

    from system.api.permissions import IsAnyone
    from system.api.throttling.charging import charge
    from system.api.throttling.limiter import Bucket
    from system.api.throttling.rates import Rate
    from system.api.views import ApiView
    from system.middleware import ApiMiddleware, RequestIdMiddleware

    rate = Rate(1_000_000, 1, 1_000_000)

    class Constant(ApiView):
        permission_classes = [IsAnyone]
        self_charging_actions = frozenset({"get"})

        def get(self, request: Request, names: tuple[str, ...]) -> Response:
            charge(request._request, [Bucket(name, "1", rate) for name in names])
            return self.reply({"a": 1})

    view, factory = Constant.as_view(), RequestFactory()

    def ask(names: tuple[str, ...]) -> float:
        def answer(request: HttpRequest) -> Any:
            return view(request, names=names).render()

        application = RequestIdMiddleware(ApiMiddleware(answer))
        request = factory.get("/api/v1/constant")
        begin = time.perf_counter()
        application(request)
        return time.perf_counter() - begin

    return ask


def main() -> None:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rate_limits")
    parser.add_argument("--requests", type=int, default=4000, help="of each kind")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, EmbeddedRedis(Path(folder), persistent=False) as redis:
        setting_up(redis.url)
        ask = asker()
        taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for number in range(options.requests + WARM_UP):
            for kind, names in KINDS.items():
                seconds = ask(names)
                if number >= WARM_UP:
                    taken[kind].append(seconds)
    report(taken)


def report(taken: dict[str, list[float]]) -> None:
    """Print the medians, and what they are more than without a limit."""
    base = statistics.median(taken["no limit"])
    for kind, seconds in taken.items():
        median = statistics.median(seconds)
        added, ratio = (median - base) * 1e6, median / base
        print(f"{kind:14} p50 {median * 1e6:6.0f} µs, {added:+5.0f} µs, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
