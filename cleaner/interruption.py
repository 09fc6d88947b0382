"""Signals that end a run: turned into an exception, so that what is open is closed in order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Windows has no SIGHUP.
ENDING = tuple(
    signal.Signals[name] for name in ("SIGTERM", "SIGHUP") if name in signal.Signals.__members__
)
_SHELL = 128  # a shell says so much more than the signal's number


class Terminated(BaseException):
    """A signal asked the run to end. Like `KeyboardInterrupt`, no error that a handler may take."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_status(self) -> int:
        """128 and the signal's number, as shells have it."""
        return _SHELL + self.number


INTERRUPTED = _SHELL + signal.SIGINT


@contextmanager
def endable() -> Iterator[None]:
    """While this lasts, the first SIGTERM or SIGHUP raises `Terminated`; later ones are ignored.

    A signal that is ignored already (``nohup``) stays ignored. Outside the main thread nothing is
    changed, for there Python takes no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in ENDING if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, _end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    for other in (*ENDING, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)  # an end that is interrupted would leave a mess
    raise Terminated(number)
