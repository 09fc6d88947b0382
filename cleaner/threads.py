"""Matrix products on one thread of the processor."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


class OneThread:
    """While anybody is within, no matrix product is shared out among threads of the library.

    The last bits of a product depend on how it is shared out, and at a document's size threads
    only wait for each other. What was set before comes back when the last one leaves: threads of
    the caller's own come and go in any order.
    """

    def __init__(self) -> None:
        self._libraries = ThreadpoolController()
        self._lock = threading.Lock()
        self._within = 0
        self._limits: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._within:
                self._limits = self._libraries.limit(limits=1, user_api="blas")
            self._within += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._within -= 1
            if not self._within:
                self._limits.restore_original_limits()


@cache
def one_thread() -> OneThread:
    """The one of this process."""
    return OneThread()
