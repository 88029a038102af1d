"""A small SMTP server on a real socket: keeps what it accepts, and fails as a test tells it to."""

import socketserver
import threading
from collections import defaultdict
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, NamedTuple

HANG_UP, SAY_NOTHING = "hang up", "say nothing"


class Letter(NamedTuple):
    """One accepted letter: its envelope and what is in it."""

    recipients: list[str]
    content: EmailMessage


class SmtpSink:
    """Listens on loopback until closed.

    `faults` holds, by command ("EHLO", "RCPT user@example.com", "DATA", "." for the letter's end), what to say instead
    of yes, one reply a time; HANG_UP closes the connection, SAY_NOTHING leaves the client waiting.
    """

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.sessions = 0
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> Any:
        sink = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                sink.sessions += 1
                Conversation(sink, self.rfile, self.wfile).hold()

        return Session


class Conversation:
    """One client's session."""

    def __init__(self, sink: SmtpSink, incoming: Any, outgoing: Any) -> None:
        self._sink, self._in, self._out = sink, incoming, outgoing
        self._recipients: list[str] = []

    def hold(self) -> None:
        """Talk until the client quits or is hung up on."""
        self._say("220 sink")
        while line := self._in.readline().decode().strip():
            if not self._answer(line):
                return

    def _answer(self, line: str) -> bool:
        verb = line.split()[0].upper()
        if verb == "QUIT":
            self._say("221 bye")
            return False
        if verb != "RCPT":
            return self._reply(verb, "354 go on" if verb == "DATA" else "250 ok") and (
                verb != "DATA" or self._refused or self._take_letter()
            )
        address = line.partition("<")[2].partition(">")[0]
        if good := self._reply(f"RCPT {address}", "250 ok"):
            self._recipients += [] if self._refused else [address]
        return good

    def _reply(self, command: str, usual: str) -> bool:
        fault = self._sink.faults[command].pop(0) if self._sink.faults[command] else ""
        self._refused = bool(fault)
        if fault == SAY_NOTHING:
            self._in.readline()
        elif fault != HANG_UP:
            self._say(fault or usual)
        return fault not in (HANG_UP, SAY_NOTHING)

    def _take_letter(self) -> bool:
        lines = iter(self._in.readline, b".\r\n")
        text = b"".join(line[1:] if line.startswith(b".") else line for line in lines)
        content = message_from_bytes(text, _class=EmailMessage, policy=policy.default)
        fault = (self._sink.faults["."] or [""])[0]
        if not fault or fault == HANG_UP:
            self._sink.letters.append(Letter(self._recipients, content))
        self._recipients = []
        return self._reply(".", "250 taken")

    def _say(self, text: str) -> None:
        self._out.write(f"{text}\r\n".encode())
