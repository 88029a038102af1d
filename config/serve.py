"""The web server: `python -m config.serve --host 127.0.0.1 --port 8000 --processes 1 --threads 2`."""

import argparse
import errno
import gc
import logging
import os
import resource
import signal
import socket
import sys
from functools import partial
from types import FrameType
from typing import Any

from config.server.handover import Sender, channel
from config.server.supervisor import Pulse, Supervisor, Work

logger = logging.getLogger("config.serve")

BACKLOG = 4096
# A client that takes no data this long is gone, or means harm.
STALLED_CLIENT_MILLISECONDS = 30_000
# Running requests may end; their longest database statement takes 10 s.
DRAIN_SECONDS = 15
# What a process may take beyond that to end.
END_SECONDS = 5
EXIT_CANNOT_BIND = 2
# The first process of the supervisor, and its place in the pulse.
WEBSOCKETS = 0


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code."""
    options = _parser().parse_args(arguments)
    # Read by the settings.
    os.environ["WEB_THREADS"] = str(options.threads)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    raise_open_files_limit()
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        print(_bind_problem(options, error), file=sys.stderr)
        return EXIT_CANNOT_BIND
    outcome = _supervisor(options, listener).run()
    return outcome if isinstance(outcome, int) else outcome()


def raise_open_files_limit() -> None:
    """A socket is a file, and an ordinary user's soft limit is 1,024: take what the hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket whose connections inherit our patience with clients that do not read.

    Raises:
        OSError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_CLIENT_MILLISECONDS)
    return listener


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m config.serve",
        description="Serve HTTP and WebSockets on one port: so many processes for HTTP, and one for WebSockets.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--processes", type=int, default=1, help="for HTTP: one per core")
    parser.add_argument("--threads", type=int, default=2, help="requests in work at once, per process")
    return parser


def _bind_problem(options: argparse.Namespace, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {options.port} on {options.host} is taken by another program; choose another one with --port."
    return f"Cannot listen on {options.host}:{options.port}: {error.strerror}."


def _supervisor(options: argparse.Namespace, listener: socket.socket) -> Supervisor:
    pulse = Pulse(1 + options.processes)
    sending, receiving = channel()

    def prepare() -> list[Work]:
        app = _loaded()
        logger.info("serving on %s:%s", *listener.getsockname()[:2])
        works: list[Work] = [partial(_serve_websockets, receiving, pulse, listener)]
        places = range(1, 1 + options.processes)
        return [*works, *[partial(_serve_http, app, listener, sending, pulse, place) for place in places]]

    return Supervisor(1 + options.processes, prepare, pulse, DRAIN_SECONDS + END_SECONDS)


def _loaded() -> Any:
    """The application, with everything that its processes will share."""
    # Little of what is imported is garbage, and looking for it takes a fifth of the start.
    gc.disable()
    from django.urls import get_resolver

    import config.asgi
    import config.server.http
    import config.server.websockets  # noqa: F401
    from config.wsgi import application

    get_resolver().url_patterns  # noqa: B018 (imports the views)
    # The collector would touch, and so copy, every page that the processes share.
    gc.freeze()
    gc.enable()
    return application


def _serve_http(app: Any, listener: socket.socket, sending: socket.socket, pulse: Pulse, place: int) -> int:
    from config.server.http import HttpServer

    sender = Sender(sending, lambda: pulse.last(WEBSOCKETS) > 0)
    return _run(HttpServer(app, sender, partial(pulse.beat, place), DRAIN_SECONDS), [listener])


def _serve_websockets(receiving: socket.socket, pulse: Pulse, listener: socket.socket) -> int:
    from config.server.websockets import WebSocketServer

    listener.close()
    return _run(
        WebSocketServer("config.asgi:application", receiving, partial(pulse.beat, WEBSOCKETS), DRAIN_SECONDS), []
    )


def _run(server: Any, sockets: list[socket.socket]) -> int:
    # uvicorn raises the signal again once it has drained; that must not look like a crash.
    signal.signal(signal.SIGTERM, _leave)
    try:
        server.run(sockets=sockets)
    except KeyboardInterrupt:
        logger.info("stopped by the keyboard")
    return 0


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
