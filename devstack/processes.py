"""Child processes that cannot outlive us: free ports, a user without rights, a signal when the parent dies."""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


def stop(process: "subprocess.Popen[bytes]", ask: signal.Signals, patience_seconds: float = 20) -> None:
    """Ask a child to end, then insist."""
    if process.poll() is not None:
        return
    process.send_signal(ask)
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
