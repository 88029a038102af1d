"""ASGI entry point: HTTP on a bounded pool of threads behind the guards, WebSockets on the event loop."""

import multiprocessing
import os
import signal
from typing import Any

from a2wsgi import WSGIMiddleware
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.wsgi import get_wsgi_application
from django.urls import URLPattern, re_path

from config.lifeline import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if multiprocessing.parent_process() is not None:
    # One of several: an orphan would keep the port from the next server.
    die_with_parent(signal.SIGTERM)
django_application: Any = get_wsgi_application()

from django.conf import settings  # noqa: E402 (all of these need Django to be set up)

from syncjobs.consumers import all_jobs, one_job, unknown_path  # noqa: E402
from syncjobs.hub import hub  # noqa: E402
from system.asgi import ASGIApp, BodyGuard, HeadGuard, LoadGuard, Receive, Scope, Send, WaitingRoom  # noqa: E402
from system.files import FileSender  # noqa: E402


def is_health(path: str) -> bool:
    """Whether a path asks for the process's health, which must answer however long the queue is."""
    return path.startswith("/health") or path.rstrip("/").endswith("/health")


def _pool(threads: int, limit: int) -> ASGIApp:
    pool: Any = WSGIMiddleware(django_application, workers=threads)
    return LoadGuard(FileSender(WaitingRoom(pool, places=threads)), limit)


_health = _pool(1, settings.WEB_MAX_HEALTH_IN_FLIGHT)
_web = _pool(settings.WEB_THREADS, settings.WEB_MAX_IN_FLIGHT)


async def _by_path(scope: Scope, receive: Receive, send: Send) -> None:
    await (_health if is_health(scope["path"]) else _web)(scope, receive, send)


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 (ASGI's signature)
    """The hub starts with its first watcher and stops with the server."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.shutdown":
            await hub.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "lifespan.startup.complete"})


def _route(pattern: str, application: Any) -> URLPattern:
    """A WebSocket route; Django's routes are typed for views."""
    route: URLPattern = re_path(pattern, application)
    return route


application = ProtocolTypeRouter(
    {
        "http": HeadGuard(BodyGuard(_by_path)),
        "websocket": URLRouter(
            [
                _route(r"^ws/v1/sync/?$", all_jobs),
                _route(r"^ws/v1/sync/(?P<task_id>[^/]+)/?$", one_job),
                _route(r"", unknown_path),
            ]
        ),
        "lifespan": lifespan,
    }
)
