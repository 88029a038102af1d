"""The web server: `python -m config.serve --host 127.0.0.1 --port 8000 --processes 1 --threads 2`."""

import argparse
import errno
import logging
import os
import resource
import signal
import socket
import sys
from types import FrameType

import uvicorn
from uvicorn.supervisors import Multiprocess

logger = logging.getLogger("config.serve")

BACKLOG = 4096
# A client that takes no data this long is gone, or means harm.
STALLED_CLIENT_MILLISECONDS = 30_000
# Running requests may end; their longest database statement takes 10 s.
DRAIN_SECONDS = 15
# A process that does not answer its parent this long is replaced, and its connections are lost; on a busy machine one
# that is only just starting may well take more than the server's own five seconds.
SILENT_PROCESS_SECONDS = 30
MAX_FRAME_BYTES = 64 * 1024
EXIT_CANNOT_BIND = 2


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code."""
    options = _parser().parse_args(arguments)
    # Read by the settings, in this process and in its children.
    os.environ["WEB_THREADS"] = str(options.threads)
    raise_open_files_limit()
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        print(_bind_problem(options, error), file=sys.stderr)
        return EXIT_CANNOT_BIND
    _run(_server_config(options), listener)
    return 0


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
    listener.set_inheritable(True)
    return listener


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m config.serve", description="Serve HTTP and WebSockets on one port."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--processes", type=int, default=1, help="one per core")
    parser.add_argument("--threads", type=int, default=2, help="requests in work at once, per process")
    return parser


def _bind_problem(options: argparse.Namespace, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {options.port} on {options.host} is taken by another program; choose another one with --port."
    return f"Cannot listen on {options.host}:{options.port}: {error.strerror}."


def _server_config(options: argparse.Namespace) -> uvicorn.Config:
    return uvicorn.Config(
        "config.asgi:application",
        workers=options.processes,
        http="config.protocol:HttpProtocol",
        ws="config.protocol:WebSocketProtocol",
        ws_max_size=MAX_FRAME_BYTES,
        ws_max_queue=4,
        ws_per_message_deflate=False,
        lifespan="on",
        backlog=BACKLOG,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_worker_healthcheck=SILENT_PROCESS_SECONDS,
        # Django configures the logs. The server's own lines below warnings show addresses with their query.
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        # One truth about proxies: TRUSTED_PROXIES, see system.client_ip.
        proxy_headers=False,
    )


def _run(config: uvicorn.Config, listener: socket.socket) -> None:
    # uvicorn raises the signal again once it has drained; that must not look like a crash.
    signal.signal(signal.SIGTERM, _leave)
    config.load_app()
    address = listener.getsockname()
    logger.info("serving on %s:%s, %s processes of %s threads", *address[:2], config.workers, os.environ["WEB_THREADS"])
    try:
        if config.workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])
    except KeyboardInterrupt:
        logger.info("stopped by the keyboard")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
