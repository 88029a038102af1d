"""One run of `make demo`: start everything, sync, show, serve until Ctrl-C."""

import errno
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from devstack.demo import keys
from devstack.demo.api import Api
from devstack.demo.follow import Job, follow
from devstack.demo.interruption import Interrupted, Interruption
from devstack.demo.options import Complaint, Options, read_options
from devstack.demo.stack import PROJECT, Stack
from devstack.lock import FolderLock
from devstack.progress_view import ProgressView, amounts, counters
from devstack.supervisor import Supervisor

FOLDER = PROJECT / ".devstack"
GOOD_ENDS = frozenset({"succeeded", "partial"})
INTERRUPTED_EXIT_CODE = 130


class Demo:
    """One run, from the first process to the last."""

    def __init__(self, options: Options, folder: Path, interruption: Interruption) -> None:
        self._options = options
        self._env_file = folder / "env"
        self._console = Console()
        self._supervisor = Supervisor(self._say)
        self._stack = Stack(options, folder, self._supervisor, interruption)

    def run(self) -> int:
        """The whole run; returns the exit code.

        Raises:
            Complaint: something is not as it must be.
            Interrupted: it was asked to end before the sync had ended.
        """
        with ExitStack() as cleanup:
            # One that was killed could not remove its own.
            self._env_file.unlink(missing_ok=True)
            cleanup.callback(self._stop)
            for line in self._stack.start():
                self._say(line)
            cleanup.callback(self._env_file.unlink, missing_ok=True)
            keys.write_private(self._env_file, self._stack.env_file())
            job = self._sync()
            self._say_summary(job)
            if not self._options.oneshot:
                self._serve()
            return 0 if job["status"] in GOOD_ENDS else 1

    def _sync(self) -> Job:
        api = self._api("operator")
        api.sign_in()
        task_id = api.start_full_sync(self._stack.source)
        self._say(f"\nSync {task_id}")
        url = f"ws://127.0.0.1:{self._options.port}/ws/v1/sync/{task_id}"
        with ProgressView(self._console) as view:
            for job in follow(url, api, self._stack.tick):
                view.show(job)
        return job

    def _say_summary(self, job: Job) -> None:
        self._say(f"\n{job['task_id']} {job['status']}: {amounts(job)}, {job['calls']:,} calls\n  {counters(job)}")
        if error := job["error"]:
            self._say(f"  {error.get('message', error['code'])} {error.get('suggestion', '')}")
        if job["progress"]["rejected"]:
            self._say("  Rejected records are kept with their reason; see them in the back office.")

    def _serve(self) -> None:
        self._say(guide(self._options.base_url, self._api("viewer").sign_in(), self._stack.passwords))
        self._say(f"Settings for scripts and manage.py: {self._env_file}\nCtrl-C stops everything.")
        try:
            while True:
                self._stack.tick()
        except Interrupted:
            return

    def _api(self, user: str) -> Api:
        return Api(self._options.base_url, user, self._stack.passwords[user], self._stack.tick)

    def _stop(self) -> None:
        self._say("\nStopping ...")
        self._supervisor.stop()

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def guide(base_url: str, token: str, passwords: dict[str, str]) -> str:
    """Where to look, who to be, what to type."""
    users = "\n".join(f"  {user:<10}{password}" for user, password in passwords.items())
    return f"""
Users (and their passwords)
{users}

Back office  {base_url}/admin/
API docs     {base_url}/api/docs

TOKEN={token}
curl -s -H "Authorization: Bearer $TOKEN" "{base_url}/api/v1/products?page_size=3"
"""


def own(folder: Path) -> FolderLock:
    """Take the demo's folder.

    Raises:
        Complaint: a demo runs from it already, or it belongs to another user.
    """
    try:
        folder.mkdir(exist_ok=True)
        return FolderLock(folder)
    except BlockingIOError:
        raise Complaint("A demo already runs from this folder; stop it first.") from None
    except PermissionError as error:
        raise Complaint(f"{folder} belongs to another user ({error}); remove it.") from error


def check_port(port: int) -> None:
    """Raises Complaint when nobody can listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise Complaint(f"Port {port} {reason}; choose another: make demo PORT={port + 1}") from error


def main(interruption: Interruption, folder: Path = FOLDER) -> int:
    """Run the demo with its data in `folder`; returns the exit code."""
    try:
        options = read_options(os.environ)
        with ExitStack() as cleanup:
            cleanup.callback(own(folder).release)
            check_port(options.port)
            return Demo(options, folder, interruption).run()
    except Complaint as complaint:
        sys.stderr.write(f"{complaint}\n")
        return 1
    except Interrupted:
        return INTERRUPTED_EXIT_CODE
