"""The simulator as a program: one process, one port, until a signal or the end of its standard input."""

import asyncio
import gc
import signal
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from importlib.util import find_spec

from websockets.asyncio.server import serve as serve_channel

from . import control, gateway
from .arguments import Arguments
from .clock import parse_date
from .http import Protocol
from .messages import Reply, Request, json_reply
from .state import Settings, State

HOST = "127.0.0.1"
READY = "gateway ready"


class Simulator:
    """Answers requests from one state; a reset replaces it."""

    def __init__(self, settings: Settings) -> None:
        self._state = State(settings)
        self.channel = self._state.channel

    def answer(self, request: Request) -> Reply:
        """The reply to any request."""
        path = request.path
        if path.startswith(gateway.PREFIX):
            return gateway.answer(self._state, request)
        if path == control.PREFIX + control.RESET:
            return self._reset(request)
        if path.startswith(control.PREFIX):
            return control.answer(self._state, request)
        return json_reply({"error": "not found"}, 404)

    def _reset(self, request: Request) -> Reply:
        try:
            arguments = Arguments(request)
            products = arguments.whole("products")
            arguments.refuse_unknown()
            self._state = self._state.renewed(products)
        except (ValueError, TypeError) as error:
            return json_reply({"error": str(error)}, 400)
        return json_reply({"reset": True, "products": self._state.settings.products})


async def serve(settings: Settings, port: int, *, message_port: int = 0, until_stdin_ends: bool = False) -> None:
    """Serves until SIGTERM or SIGINT. Raises OSError when a port is taken."""
    async with serve_channel(lambda client: simulator.channel.serve(client), HOST, message_port) as channel:
        port_of_channel = next(iter(channel.sockets)).getsockname()[1]
        settings = replace(settings, message_url=f"ws://{HOST}:{port_of_channel}/websocket")
        simulator = Simulator(settings)
        await _serve_calls(simulator, port, until_stdin_ends=until_stdin_ends)


async def _serve_calls(simulator: Simulator, port: int, *, until_stdin_ends: bool) -> None:
    loop, connections = asyncio.get_running_loop(), set[Protocol]()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if until_stdin_ends:
        loop.add_reader(sys.stdin.fileno(), stop.set)
    server = await loop.create_server(lambda: Protocol(simulator.answer, connections), HOST, port, backlog=1024)
    print(f"{READY} http://{HOST}:{server.sockets[0].getsockname()[1]}", flush=True)
    await stop.wait()
    server.close()
    for connection in tuple(connections):
        connection.close()


def add_arguments(parser: ArgumentParser) -> None:
    """The command line, shared with the management command."""
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--message-port", type=int, default=0, help="of the message WebSocket; 0 takes a free one")
    parser.add_argument("--products", type=int, default=Settings.products)
    parser.add_argument("--seed", type=int, default=Settings.seed)
    parser.add_argument("--app-key", default=Settings.app_key)
    parser.add_argument("--app-secret", default=Settings.app_secret)
    parser.add_argument("--qps", type=int, help="calls a second before gw.QosAppFrequencyLimit")
    parser.add_argument("--daily", type=int, help="calls a day before gw.NoUsageLeftError")
    parser.add_argument("--deny", default="", help="API names the app may not call, with commas between")
    parser.add_argument("--clock", type=parse_date, help="yyyyMMddHHmmss to start at, China time")
    parser.add_argument("--frozen-clock", action="store_true", help="time moves only by the control plane")
    parser.add_argument("--until-stdin-ends", action="store_true", help="stop when the parent process is gone")


def settings_from(options: Namespace) -> Settings:
    """Settings from parsed arguments."""
    return Settings(
        products=options.products,
        seed=options.seed,
        app_key=options.app_key,
        app_secret=options.app_secret,
        qps=options.qps,
        daily=options.daily,
        deny=tuple(filter(None, options.deny.split(","))),
        clock=options.clock,
        frozen_clock=options.frozen_clock,
    )


def run(options: Namespace) -> None:
    """Runs the simulator to its end."""
    # Every page makes thousands of short-lived containers and no cycles: collecting often only costs time.
    gc.set_threshold(100_000, 50, 50)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(
            serve(
                settings_from(options),
                options.port,
                message_port=options.message_port,
                until_stdin_ends=options.until_stdin_ends,
            )
        )


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    if find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.Loop
