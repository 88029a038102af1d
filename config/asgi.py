"""ASGI entry point of the WebSocket process; HTTP is WSGI, see config.wsgi."""

import os
from typing import Any

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
get_wsgi_application()

from django.urls import URLPattern, re_path  # noqa: E402 (all of these need Django to be set up)

from syncjobs.consumers import all_jobs, one_job, unknown_path  # noqa: E402
from syncjobs.hub import hub  # noqa: E402
from system.asgi import Receive, Scope, Send  # noqa: E402


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
