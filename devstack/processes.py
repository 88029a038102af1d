"""Child processes that cannot outlive us: free ports, a user without rights, a signal when the parent dies."""

import contextlib
import ctypes
import os
import pwd
import random
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
FIRST_PORT = 15_000


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens at and `free_port` gives nobody else while this process lives.

    Not one of those that the kernel gives to outgoing connections: while a server is down or not up yet, somebody who
    tries to reach it would take its port himself.

    Raises:
        RuntimeError: none is left.
    """
    ports = range(FIRST_PORT, max(_first_outgoing_port(), FIRST_PORT + 10_000))
    for port in random.sample(ports, len(ports)):
        if _is_free(port) and _reserve(port):
            return port
    raise RuntimeError(f"No port is free on 127.0.0.1 between {FIRST_PORT} and {ports.stop}.")


def _first_outgoing_port() -> int:
    return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def _reserve(port: int) -> bool:
    """Take the name that stands for a port, until this process ends and the kernel closes what is open."""
    name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        name.bind(f"\0s1688-port-{port}")
    except OSError:
        name.close()
        return False
    name.detach()
    return True


def unprivileged_user() -> str | None:
    """Who runs a server that refuses root; None when we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def hand_over(path: Path, user: str | None) -> None:
    """Give a folder to the server's user; nothing to do when that is us."""
    if user:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def reachable(path: Path, user: str | None) -> bool:
    """Whether another user could walk down to this path (every parent folder lets others in)."""
    return user is None or all(parent.stat().st_mode & 0o001 for parent in [path, *path.parents])


def die_with_parent(sent: signal.Signals) -> Callable[[], None]:
    """A preexec hook: the kernel sends `sent` to the child when its parent is gone, however it went."""
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(sent))
        if os.getppid() != parent:  # gone before the kernel was asked
            os._exit(1)

    return ask_the_kernel


def stop(process: "subprocess.Popen[Any]", ask: signal.Signals, patience_seconds: float = 20) -> None:
    """Ask a child to end, then insist."""
    if process.poll() is not None:
        return
    process.send_signal(ask)
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
