"""Ends this process group when whoever started it is gone.

The starter keeps the write end of our standard input open for as long as it lives. However it ends, even by SIGKILL, the
kernel closes that end; then the whole group goes, with the function processes that ministack would leave behind.
"""

import os
import signal
import threading


def end_with_parent() -> None:
    """Watches standard input from a thread of its own. The caller must lead its process group."""
    if os.getpgrp() != os.getpid():
        raise SystemExit("must be started as the leader of a process group of its own, or it would end its starter's")
    # A function process must not hold our standard input, so it goes on under a descriptor that is not inherited.
    watched = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    threading.Thread(target=_wait, args=(watched,), daemon=True, name="parent").start()


def _wait(descriptor: int) -> None:
    while os.read(descriptor, 1024):
        pass
    os.killpg(0, signal.SIGKILL)
