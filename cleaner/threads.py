"""Matrix products on one thread of the processor."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


class _Turn:
    """Whose turn it is among the threads of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()


_TURN = _Turn()
# Whoever had it in the process that was forked is not in this one.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_TURN.__init__)  # type: ignore[misc]


@contextmanager
def one_thread() -> Iterator[None]:
    """Within, the libraries share no matrix product out among threads of their own.

    The last bits of a product depend on how it is shared out, and at a document's size threads
    only wait for each other. What the libraries are told holds for the process, and is taken back
    at the end: so threads of the caller's take turns.
    """
    with _TURN.lock, _libraries().limit(limits=1, user_api="blas"):
        yield


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
