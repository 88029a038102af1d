"""`manage.py listen`: hears the change messages of 1688 for as long as it runs."""

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connection

from syncjobs.models import Source
from syncjobs.services.listening import Listener

logger = logging.getLogger(__name__)

# How often it looks for sources that came or were switched on.
LOOK_SECONDS = 15.0
STOP_SECONDS = 15.0


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT; several processes may run, one of them listens to each source."""

    help = "Listen to the change messages of 1688 sources over their WebSocket, and catch up with those missed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which source."""
        parser.add_argument("--source", help="name of one source; all enabled ones when left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Keep a thread for each source. Exit code 2: no such source."""
        name = options["source"]
        if name and not Source.objects.filter(name=name, kind=Source.Kind.ALIBABA1688).exists():
            raise CommandError(f"there is no source {name} of 1688", returncode=2)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        threads: dict[int, threading.Thread] = {}
        while not stop.is_set():
            _start_missing(threads, name, stop)
            stop.wait(LOOK_SECONDS)
        for thread in threads.values():
            thread.join(STOP_SECONDS)


def _start_missing(threads: dict[int, threading.Thread], name: str | None, stop: threading.Event) -> None:
    wanted = Source.objects.filter(kind=Source.Kind.ALIBABA1688, is_enabled=True)
    try:
        ids = list((wanted.filter(name=name) if name else wanted).values_list("pk", flat=True))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the sources cannot be read now: %s", error)
        connection.close()
        return
    for source_id in ids:
        running = threads.get(source_id)
        if running is None or not running.is_alive():
            listener = Listener(source_id, stop)
            threads[source_id] = threading.Thread(target=listener.run, name=f"listen-{source_id}", daemon=True)
            threads[source_id].start()
