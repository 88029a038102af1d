"""Ties a process to its parent, so that a parent that is killed leaves nobody behind."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent(sent: signal.Signals) -> None:
    """Have the kernel send us `sent` when our parent is gone, however it went (Linux; elsewhere nothing happens)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, int(sent))
